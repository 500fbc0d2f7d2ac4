import type { ModuleFetch } from '../../model/module-fetch.ts';
import { SILENT_AFTER_MS } from '../../model/node.ts';
import type { EncodedResource } from '../../model/resource.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE, XDS_TYPES, type XdsType } from '../../model/type-url.ts';
import { bringsVersions, type DiscoveryRequest } from '../discovery-request.ts';
import { checkNames, hasNames } from '../limits/count-names.ts';
import { onProcess, onReading, type Reading } from '../loaded/loaded-proof.ts';
import { bringsOlder } from '../not-new.ts';
import { capabilityOf, type Process } from '../process-registry.ts';
import { type Attempt, toVersion, type Variant } from '../push/attempt.ts';
import * as machine from '../push/process-machine.ts';
import { toFormerSet } from '../sotw/resource-set.ts';
import { type ResourceState, statesOf } from '../status/resource-states.ts';
import { type Asked, findAsked, findNamesBefore, namesOf, resourcesOf, toNacks } from './asked.ts';
import { Channel, type ProtocolForm, type RememberedVersions } from './channel.ts';
import { distrust, doubt, trust } from './doubts.ts';
import { findDueResources } from './due-resources.ts';
import { ListenerNacks } from './listener-nack.ts';
import { findNewest, havePlaceOf, haveRoomFor, withOthers } from './open-channels.ts';
import { SessionMeter } from './session-meter.ts';
import type { StreamContext } from './stream-context.ts';
import { answer, type Difference, hasEarlier, retry, sent } from './subscription.ts';
import { Wake } from './wake.ts';
import { awaitEndpoints } from './warming-clusters.ts';

const TYPES: ReadonlyMap<string, XdsType> = new Map(XDS_TYPES.map(type => [type.typeUrl, type]));
const NO_NAMES: ReadonlySet<string> = new Set();
/** An incremental client names every version by itself. */
const NONE_REMEMBERED: RememberedVersions = new Map();

interface SlotOut {
  readonly channel: Channel;
  readonly nonce: string;
  readonly variant: Variant;
  readonly at: number;
}

/**
 * The streams of one process: one for all types (ADS), or one for each type or resource. It decodes nothing and decides
 * nothing itself, but hands requests to the pure parts (subscription, push protocol) and sends what they say is due.
 */
export class Session {
  readonly process: Process;
  readonly #context: StreamContext;
  #channels: readonly Channel[] = [];
  #asked: readonly Asked[] = [];
  readonly #listenerNacks = new ListenerNacks();
  readonly #meter: SessionMeter;
  #snapshot: Snapshot | undefined;
  #endpointsAwaited = NO_NAMES;
  /** The extension config that is un-ACKed. */
  #slotOut: SlotOut | undefined;
  readonly #wake: Wake;
  #isSilent = false;

  constructor(process: Process, context: StreamContext) {
    this.process = process;
    this.#context = context;
    this.#meter = new SessionMeter(context.meter);
    this.#wake = new Wake(context.clock, () => this.#onWake());
  }

  get isOpen(): boolean {
    return this.#channels.length > 0;
  }

  /** Whether no other stream is open. */
  isOnly(channel: Channel): boolean {
    return this.#channels.length === 1 && this.#channels[0] === channel;
  }

  open(form: ProtocolForm, typeUrl: string | undefined, send: (frame: Buffer) => void): Channel {
    const channel = new Channel(form, typeUrl, send);
    this.#channels = [...this.#channels, channel];
    if (this.#channels.length === 1) this.#update(machine.onStreamOpened(this.process.state, this.#now()));
    return channel;
  }

  /** Whether a stream for this type can be another one of the same process. */
  hasRoomFor(typeUrl: string | undefined): boolean {
    return haveRoomFor(this.#channels, typeUrl);
  }

  /** Whether it has a stream already for a place that is asked for. */
  hasPlaceOf(request: DiscoveryRequest): boolean {
    return havePlaceOf(this.#channels, request);
  }

  /**
   * Throws XdsError `type-url-missing`, `type-url-foreign` or `too-many-names`, and has taken nothing over then. A type
   * that is not ours gets silence, not an error.
   */
  onRequest(channel: Channel, request: DiscoveryRequest): void {
    const typeUrl = channel.typeOf(request);
    const type = TYPES.get(typeUrl);
    if (type === undefined) {
      this.#context.log.warn({ node: this.process.nodeId, type_url: typeUrl }, 'type is not served');
      return;
    }
    if (hasNames(request))
      checkNames(
        request,
        findNamesBefore(this.#asked, this.#channels, channel, typeUrl),
        this.#context.mostNames,
      );
    const isFirst = channel.begins(typeUrl);
    if (isFirst && bringsVersions(request)) bringsOlder(this.process);
    if (typeUrl === EXTENSION_CONFIG_TYPE) this.#onSlotRequest(channel, request, isFirst);
    else this.#onTypeRequest(channel, typeUrl, request, type.wildcard);
    this.pump();
  }

  onSnapshot(snapshot: Snapshot): void {
    if (snapshot === this.#snapshot) return;
    const now = this.#now();
    if (this.#snapshot !== undefined) this.#meter.changed(now);
    this.#snapshot = snapshot;
    this.#letGoOfDownloads();
    this.#update(this.#context.steps.wanted(this.process.state, snapshot, now));
    this.pump(now);
  }

  /** Sends all that is due; called after every event. The clock is read once: that is a microsecond for each push. */
  pump(now = this.#now()): void {
    if (!this.isOpen) return;
    this.#judgeListeners(now);
    this.#join();
    while (this.#snapshot !== undefined && this.#pushOne(this.#snapshot, now));
    if (this.#meter.isConverging && this.#isSettled()) this.#meter.settled(now);
    this.#join();
    this.#record(now);
    this.#setWake(now);
  }

  /** A stream ended; with the last one the process is gone, for all we know. */
  close(channel: Channel): void {
    if (!this.#channels.includes(channel)) return;
    const out = this.#slotOut?.channel === channel ? this.process.state.inFlight : undefined;
    const own = [...channel.slots].filter(
      slot => slot === out || findNewest(this.#channels, slot) === channel,
    );
    this.#channels = this.#channels.filter(it => it !== channel);
    for (const { typeUrl, state } of this.#asked.filter(asked => asked.channel === channel)) {
      if (state.inFlight !== undefined)
        this.process.doubts = doubt(this.process.doubts, typeUrl, namesOf(state.inFlight));
      this.process.formerSets = new Map(this.process.formerSets).set(typeUrl, toFormerSet(state));
    }
    this.#asked = this.#asked.filter(asked => asked.channel !== channel);
    if (this.#slotOut?.channel === channel) this.#slotOut = undefined;
    if (!this.isOpen) this.#wake.cancel();
    const slots = this.isOpen ? own : [...this.process.state.slots.keys()];
    this.#update(machine.onStreamClosed(this.process.state, slots, !this.isOpen, this.#now()));
    // What it has on the other stream of a place that had two is not known.
    const subscribe = own.filter(slot => findNewest(this.#channels, slot) !== undefined);
    if (subscribe.length > 0)
      this.#subscribe({ subscribe, unsubscribe: [], versions: new Map(), isWhole: false });
    this.#record(this.#now());
    this.pump();
  }

  /** A flush of this process's stats came. */
  onReading(reading: Reading): void {
    this.process.proof = onReading(this.process.proof, reading);
    this.#context.recorder.slots(this.process, this.#now());
  }

  /** What its streams know of its resources, extension configs apart. */
  *resourceStates(): Iterable<ResourceState> {
    for (const { typeUrl, state } of this.#asked) yield* statesOf(typeUrl, state);
  }

  #record(now: number): void {
    this.process.proof = onProcess(this.process.proof, this.process.state);
    this.#context.recorder.slots(this.process, now);
    const since = this.#unansweredSince();
    const isSilent = since !== undefined && now - since >= SILENT_AFTER_MS;
    if (isSilent || this.#isSilent) this.#context.recorder.silent(this.process, isSilent ? since : undefined);
    this.#isSilent = isSilent;
  }

  /** Nothing is out, and each of its places has what is wanted there. */
  #isSettled(): boolean {
    const isOut = this.#asked.some(({ state }) => state.inFlight !== undefined);
    return !isOut && machine.hasWanted(this.process.state);
  }

  /** When the oldest response went out that Envoy has not answered. */
  #unansweredSince(): number | undefined {
    let oldest = this.#slotOut?.at;
    for (const { state } of this.#asked) {
      const at = state.inFlight?.at;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  #onSlotRequest(channel: Channel, request: DiscoveryRequest, isFirst: boolean): void {
    const now = this.#now();
    const remembered = channel.form === 'delta' ? NONE_REMEMBERED : this.#remembered();
    if (this.#slotOut?.channel === channel && request.responseNonce === this.#slotOut.nonce) {
      const { at, variant } = this.#slotOut;
      this.#slotOut = undefined;
      this.#logNack(request);
      this.#meter.placeAnswered(this.process.state, request.errorDetail, at, now);
      this.#update(this.#context.steps.answered(this.process.state, request.errorDetail, at, now));
      if (request.errorDetail === undefined) {
        channel.slotAcked(remembered);
        this.#context.recorder.acked(this.process.nodeId, now, variant === 'verdict');
      }
    }
    const names = channel.readSlots(request, isFirst, remembered, this.process.state.slots);
    const { subscribe, unsubscribe, versions } = withOthers(names, this.#channels, channel);
    // It holds something that nobody can name: no place of it is surely unanswered.
    if (versions === undefined) this.#update(machine.onUnknownVersions(this.process.state));
    if (subscribe.length + unsubscribe.length + (versions?.size ?? 0) === 0) return;
    const known = versions ?? new Map<string, string>();
    const { unanswered } = this.process;
    const isWhole = channel.typeUrl === undefined;
    this.#subscribe({ subscribe, unsubscribe, versions: known, isWhole, unanswered });
  }

  #subscribe(request: machine.SlotRequest): void {
    this.#update(
      machine.onSlotRequest(
        this.process.state,
        request,
        slot => this.#snapshot?.slot(slot),
        this.#now(),
        slot => this.#waits(slot),
      ),
    );
  }

  #remembered(): RememberedVersions {
    this.process.slotVersions ??= new Map();
    return this.process.slotVersions;
  }

  #onTypeRequest(channel: Channel, typeUrl: string, request: DiscoveryRequest, wildcardType: boolean): void {
    const asked = findAsked(this.#asked, channel, typeUrl);
    if (asked === undefined) {
      const said = channel.subscribe(request, wildcardType);
      const state = distrust(said, this.process.doubts.get(typeUrl));
      this.#asked = [...this.#asked, { channel, typeUrl, state }];
      return;
    }
    const known = asked.state;
    const { inFlight } = known;
    const answered = answer(known, request.responseNonce, request.errorDetail);
    asked.state = channel.rename(answered, request);
    if (answered === known || inFlight === undefined) return;
    this.#logNack(request);
    this.#meter.answered(typeUrl, request.errorDetail);
    const note = request.errorDetail === undefined ? trust : doubt;
    this.process.doubts = note(this.process.doubts, typeUrl, namesOf(inFlight));
    if (request.errorDetail === undefined) this.#context.recorder.acked(this.process.nodeId, this.#now());
    if (typeUrl === LISTENER_TYPE)
      this.#listenerNacks.note(answered.refused, inFlight.sent, inFlight.at, this.#now());
    this.#context.recorder.nacks(this.process, toNacks(this.#asked, this.#now()));
  }

  /** Listeners that were refused over a plugin: again, once the download ended or the slots were healed. */
  #judgeListeners(now: number): void {
    if (this.#listenerNacks.isEmpty) return;
    for (const asked of this.#asked) {
      if (asked.typeUrl !== LISTENER_TYPE) continue;
      const { downloads } = this.process.state;
      for (const { name, next } of this.#listenerNacks.due(asked.state.refused, downloads, now)) {
        asked.state = retry(asked.state, name);
        if (next === 'heal') this.#update(machine.onHeal(this.process.state, this.#slotsOf(name), now));
      }
    }
  }

  #pushOne(snapshot: Snapshot, now: number): boolean {
    const { formerSets } = this.process;
    const known = { snapshot, formerSets, endpointsAwaited: this.#endpointsAwaited };
    const plan = findDueResources(this.#asked, known, resource => this.#mayChange(resource));
    if (plan.push !== undefined) {
      this.#pushType(snapshot, plan.push.asked, plan.push.difference, now);
      return true;
    }
    if (!plan.clustersOut) return false;
    const due = this.#context.steps.push(this.process.state, now);
    const channel = due && findNewest(this.#channels, due.slot);
    if (due === undefined || channel === undefined) return false;
    this.#update(due.state);
    this.#pushSlot(channel, due.slot, due.attempt, now);
    return true;
  }

  #pushType(snapshot: Snapshot, asked: Asked, difference: Difference, now: number): void {
    const { channel, typeUrl, state } = asked;
    const nonce = channel.nextNonce();
    // All of it is noted before it goes out: the answer may be that fast.
    asked.state = sent(state, difference, nonce, now);
    this.#context.silence.add(this, now);
    this.#endpointsAwaited = awaitEndpoints(this.#endpointsAwaited, typeUrl, difference);
    for (const listener of typeUrl === LISTENER_TYPE ? difference.resources : []) {
      const slots = snapshot.listenerSlots.get(listener.name);
      if (slots === undefined) continue;
      const isKnown = hasEarlier(state, listener);
      this.#update(machine.onListenerSent(this.process.state, slots, now, isKnown));
    }
    this.#meter.pushed(typeUrl);
    channel.push(typeUrl, nonce, difference, state, resourcesOf(snapshot, typeUrl));
  }

  #pushSlot(channel: Channel, slot: string, { content, variant, tags }: Attempt, now: number): void {
    const nonce = channel.nextNonce();
    this.#slotOut = { channel, nonce, variant, at: now };
    this.#context.silence.add(this, now);
    const capabilities = content.plugins.map(plugin =>
      capabilityOf(this.process, this.#context.moduleKey, plugin.moduleSha256),
    );
    const version = toVersion(content.contentHash, variant);
    this.#context.log.debug({ node: this.process.nodeId, slot, version, nonce }, 'pushed');
    this.#meter.pushed(EXTENSION_CONFIG_TYPE);
    channel.pushSlot({ name: slot, version, template: content[variant], capabilities, tags }, nonce);
  }

  /** A listener that Envoy has is changed only while none of its slots is un-ACKed or refused. */
  #mayChange(resource: EncodedResource): boolean {
    if (resource.typeUrl !== LISTENER_TYPE) return true;
    const isThere = this.#asked.some(
      ({ typeUrl, state }) => typeUrl === LISTENER_TYPE && state.has.has(resource.name),
    );
    if (!isThere) return true;
    return machine.mayChangeListener(this.process.state, this.#slotsOf(resource.name));
  }

  /** A listener that we deliver holds the slot without a fetch timeout. */
  #waits(slot: string): boolean {
    return [...(this.#snapshot?.listenerSlots.values() ?? [])].some(
      listener => listener.fetchTimeoutMs === 0 && listener.slots.includes(slot),
    );
  }

  #slotsOf(listener: string): readonly string[] {
    return this.#snapshot?.listenerSlots.get(listener)?.slots ?? [];
  }

  #logNack(request: DiscoveryRequest): void {
    if (request.errorDetail === undefined) return;
    const fields = { node: this.process.nodeId, type_url: request.typeUrl, nonce: request.responseNonce };
    this.#context.log.info({ ...fields, error_detail: request.errorDetail }, 'NACK');
  }

  #setWake(now: number): void {
    const { state } = this.process;
    this.#wake.by(machine.processWake(state, now) ?? Number.POSITIVE_INFINITY);
    if (!this.#listenerNacks.isEmpty)
      for (const at of this.#listenerNacks.waits(state.downloads, now)) this.#wake.by(at);
  }

  /** The module server saw a GET of this process. */
  onFetch(fetch: ModuleFetch): void {
    this.#update(machine.onFetch(this.process.state, fetch, this.#now()));
    this.pump();
  }

  /** SILENT_AFTER_MS have passed since something was sent. */
  onOverdue(): void {
    if (this.#unansweredSince() !== undefined) this.pump();
  }

  #onWake(): void {
    this.#update(machine.onTick(this.process.state, this.#now()));
    this.pump();
  }

  #update(state: machine.ProcessState): void {
    this.process.state = state;
    this.#meter.judged(state);
  }

  /** When something else is wanted: what they prove of the change before has been told by now. */
  #letGoOfDownloads(): void {
    const isListening = this.#asked.some(
      asked => asked.typeUrl === LISTENER_TYPE && asked.state.inFlight !== undefined,
    );
    if (isListening || !this.#listenerNacks.isEmpty) return;
    this.process.state = machine.withoutDownloads(this.process.state);
    this.#join();
  }

  /** Back among those that have the same past, once nothing is its own any more. */
  #join(): void {
    this.process.state = this.#context.steps.join(this.process.state);
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
