import type { ModuleFetch } from '../../model/module-fetch.ts';
import { type ResourceNack, SILENT_AFTER_MS } from '../../model/node.ts';
import type { Clock, Log, RandomHex } from '../../model/ports.ts';
import type { EncodedResource } from '../../model/resource.ts';
import { fillTemplate, type Snapshot, TAG_LENGTH } from '../../model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE, XDS_TYPES } from '../../model/type-url.ts';
import { type DeltaRequest, encodeDeltaResponse } from '../discovery-codec.ts';
import { onProcess, onReading, type Reading } from '../loaded/loaded-proof.ts';
import type { NodeRecorder } from '../node-recorder.ts';
import { capabilityOf, type Process } from '../process-registry.ts';
import { type Attempt, toVersion } from '../push/attempt.ts';
import * as machine from '../push/process-machine.ts';
import { type ResourceState, statesOf } from '../status/resource-states.ts';
import { XdsError } from '../xds-error.ts';
import { blamesPlugin, decideListener, type ListenerNack } from './listener-nack.ts';
import { planPush } from './plan-push.ts';
import {
  answer,
  changeNames,
  type Difference,
  retry,
  type Subscription,
  sent,
  subscribe,
} from './subscription.ts';

export interface StreamContext {
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
  readonly recorder: NodeRecorder;
  /** Signs the module URLs of this process. */
  readonly moduleKey: Uint8Array;
}

/**
 * One delta ADS stream of one process: it decodes nothing and decides nothing itself, but hands requests to the
 * pure parts (subscription, push protocol) and sends what they say is due.
 */
export class DeltaStream {
  readonly process: Process;
  readonly #context: StreamContext;
  readonly #send: (bytes: Buffer) => void;
  readonly #types = new Map<string, Subscription>();
  readonly #listenerNacks = new Map<string, ListenerNack>();
  #snapshot: Snapshot | undefined;
  #slotNonce: string | undefined;
  #lastNonce = 0;
  #cancelWake: () => void = () => {};
  #closed = false;

  constructor(process: Process, context: StreamContext, send: (bytes: Buffer) => void) {
    this.process = process;
    this.#context = context;
    this.#send = send;
    this.#update(machine.onStreamOpened(process.state, context.clock.now()));
  }

  /** Throws XdsError `type-url-missing`. A type that is not ours gets silence, not an error. */
  onRequest(request: DeltaRequest): void {
    if (request.typeUrl === '') throw new XdsError('type-url-missing', 'an ADS request needs a type_url');
    const type = XDS_TYPES.find(row => row.typeUrl === request.typeUrl);
    if (type === undefined) {
      this.#context.log.warn({ node: this.process.nodeId, type_url: request.typeUrl }, 'type is not served');
      return;
    }
    if (request.initialVersions.size > 0) this.#update(machine.onVersions(this.process.state));
    if (request.typeUrl === EXTENSION_CONFIG_TYPE) this.#onSlotRequest(request);
    else this.#onTypeRequest(request, type.wildcard);
    this.pump();
  }

  onSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#update(machine.onWanted(this.process.state, this.#lookup, this.#now()));
    this.pump();
  }

  /** Sends all that is due; called after every event. */
  pump(): void {
    if (this.#closed) return;
    this.#judgeListeners();
    while (this.#snapshot !== undefined && this.#pushOne(this.#snapshot));
    this.#record();
    this.#scheduleWake();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelWake();
    this.#update(machine.onStreamClosed(this.process.state, this.#now()));
    this.#record();
  }

  /** A flush of this process's stats came. */
  onReading(reading: Reading): void {
    this.process.proof = onReading(this.process.proof, reading);
    this.#context.recorder.slots(this.process, this.#now());
  }

  /** What this stream knows of its resources, extension configs apart. */
  *resourceStates(): Iterable<ResourceState> {
    for (const [typeUrl, state] of this.#types) yield* statesOf(typeUrl, state);
  }

  #record(): void {
    this.process.proof = onProcess(this.process.proof, this.process.state);
    this.#context.recorder.slots(this.process, this.#now());
    const since = this.#unansweredSince();
    const isSilent = since !== undefined && this.#now() - since >= SILENT_AFTER_MS;
    this.#context.recorder.silent(this.process, isSilent ? since : undefined);
  }

  /** When the oldest response went out that Envoy has not answered. */
  #unansweredSince(): number | undefined {
    const types = [...this.#types.values()].flatMap(({ inFlight }) => inFlight?.at ?? []);
    const oldest = Math.min(machine.pushedAt(this.process.state) ?? Number.POSITIVE_INFINITY, ...types);
    return Number.isFinite(oldest) ? oldest : undefined;
  }

  #onSlotRequest(request: DeltaRequest): void {
    const now = this.#now();
    if (request.responseNonce !== '' && request.responseNonce === this.#slotNonce) {
      this.#slotNonce = undefined;
      this.#logNack(request);
      this.#update(machine.onAnswer(this.process.state, request.errorDetail, now));
      if (request.errorDetail === undefined) this.#context.recorder.acked(this.process.nodeId, now);
    }
    const { subscribe: names, unsubscribe, initialVersions: versions } = request;
    if (names.length + unsubscribe.length + versions.size > 0)
      this.#update(
        machine.onSlotRequest(
          this.process.state,
          { subscribe: names, unsubscribe, versions },
          this.#lookup,
          now,
          this.#waits,
        ),
      );
  }

  #onTypeRequest(request: DeltaRequest, wildcardType: boolean): void {
    const { typeUrl } = request;
    const known = this.#types.get(typeUrl);
    if (known === undefined) {
      this.#types.set(typeUrl, subscribe(request, wildcardType));
      return;
    }
    const { inFlight } = known;
    const answered = answer(known, request.responseNonce, request.errorDetail);
    this.#types.set(typeUrl, changeNames(answered, request));
    if (answered === known || inFlight === undefined) return;
    this.#logNack(request);
    if (request.errorDetail === undefined) this.#context.recorder.acked(this.process.nodeId, this.#now());
    if (typeUrl === LISTENER_TYPE) this.#noteListenerAnswer(answered, inFlight.sent, inFlight.at);
    this.#recordNacks();
  }

  #noteListenerAnswer(state: Subscription, answered: ReadonlyMap<string, string>, sentAt: number): void {
    for (const [name, version] of answered) {
      const refused = state.refused.get(name);
      const count = (this.#listenerNacks.get(name)?.count ?? 0) + 1;
      this.#listenerNacks.delete(name);
      if (refused?.version === version && blamesPlugin(refused.message))
        this.#listenerNacks.set(name, {
          version,
          message: refused.message,
          sentAt,
          nackedAt: this.#now(),
          count,
        });
    }
  }

  /** Listeners that were refused over a plugin: again, once the download ended or the slots were healed. */
  #judgeListeners(): void {
    const state = this.#types.get(LISTENER_TYPE);
    if (state === undefined) return;
    let next = state;
    for (const [name, nack] of this.#listenerNacks) {
      if (next.refused.get(name)?.version !== nack.version) continue;
      const decision = decideListener(nack, this.process.state.downloads, this.#now());
      if (decision.next === 'wait') continue;
      next = retry(next, name);
      if (decision.next === 'heal')
        this.#update(machine.onHeal(this.process.state, this.#slotsOf(name), this.#now()));
    }
    this.#types.set(LISTENER_TYPE, next);
  }

  #pushOne(snapshot: Snapshot): boolean {
    const plan = planPush(this.#types, snapshot, this.#mayChange);
    if (plan.push !== undefined) {
      this.#pushType(plan.push.typeUrl, plan.push.difference);
      return true;
    }
    if (!plan.clustersOut) return false;
    const due = machine.nextProcessPush(this.process.state, this.#now(), () =>
      this.#context.random(TAG_LENGTH / 2),
    );
    if (due === undefined) return false;
    this.#update(due.state);
    this.#pushSlot(due.slot, due.attempt);
    return true;
  }

  #pushType(typeUrl: string, difference: Difference): void {
    const nonce = this.#nextNonce();
    const state = this.#types.get(typeUrl);
    if (state === undefined) return;
    this.#types.set(typeUrl, sent(state, difference, nonce, this.#now()));
    if (typeUrl === LISTENER_TYPE)
      for (const { name } of difference.resources) {
        const slots = this.#snapshot?.listenerSlots.get(name);
        if (slots === undefined) continue;
        const isKnown = state.has.has(name);
        this.#update(machine.onListenerSent(this.process.state, slots, this.#now(), isKnown));
      }
    this.#send(
      encodeDeltaResponse({ typeUrl, nonce, resources: difference.resources, removed: difference.removed }),
    );
  }

  #pushSlot(slot: string, { content, variant, tags }: Attempt): void {
    const nonce = this.#nextNonce();
    this.#slotNonce = nonce;
    const capabilities = content.plugins.map(plugin =>
      capabilityOf(this.process, this.#context.moduleKey, plugin.moduleSha256),
    );
    const any = fillTemplate(content[variant], capabilities, tags);
    const version = toVersion(content.contentHash, variant);
    const resources = [{ name: slot, version, any }];
    this.#context.log.debug({ node: this.process.nodeId, slot, version, nonce }, 'pushed');
    this.#send(encodeDeltaResponse({ typeUrl: EXTENSION_CONFIG_TYPE, nonce, resources, removed: [] }));
  }

  /** A listener that Envoy has is changed only while none of its slots is un-ACKed or refused. */
  readonly #mayChange = (resource: EncodedResource): boolean => {
    if (resource.typeUrl !== LISTENER_TYPE) return true;
    if (this.#types.get(LISTENER_TYPE)?.has.has(resource.name) !== true) return true;
    return machine.mayChangeListener(this.process.state, this.#slotsOf(resource.name));
  };

  readonly #lookup: machine.Lookup = slot => this.#snapshot?.slot(slot);

  /** A listener that we deliver holds the slot without a fetch timeout. */
  readonly #waits = (slot: string): boolean =>
    [...(this.#snapshot?.listenerSlots.values() ?? [])].some(
      listener => listener.fetchTimeoutMs === 0 && listener.slots.includes(slot),
    );

  #slotsOf(listener: string): readonly string[] {
    return this.#snapshot?.listenerSlots.get(listener)?.slots ?? [];
  }

  #recordNacks(): void {
    const nacks = [...this.#types].flatMap(([typeUrl, state]) =>
      [...state.refused].map(
        ([name, { version, message }]): ResourceNack => ({
          typeUrl,
          name,
          version,
          message,
          at: this.#now(),
        }),
      ),
    );
    this.#context.recorder.nacks(this.process.nodeId, this.process, nacks);
  }

  #logNack(request: DeltaRequest): void {
    if (request.errorDetail === undefined) return;
    const fields = { node: this.process.nodeId, type_url: request.typeUrl, nonce: request.responseNonce };
    this.#context.log.info({ ...fields, error_detail: request.errorDetail }, 'NACK');
  }

  #scheduleWake(): void {
    this.#cancelWake();
    const now = this.#now();
    const waits = [...this.#listenerNacks.values()].flatMap(nack => {
      const decision = decideListener(nack, this.process.state.downloads, now);
      return decision.next === 'wait' ? [decision.until] : [];
    });
    const silentAt = (this.#unansweredSince() ?? Number.POSITIVE_INFINITY) + SILENT_AFTER_MS;
    if (silentAt > now) waits.push(silentAt);
    const wakes = [machine.processWake(this.process.state, now) ?? Number.POSITIVE_INFINITY, ...waits];
    const at = Math.min(...wakes);
    this.#cancelWake = Number.isFinite(at)
      ? this.#context.clock.after(Math.max(1, at - now), () => this.#onWake())
      : () => {};
  }

  /** The module server saw a GET of this process. */
  onFetch(fetch: ModuleFetch): void {
    this.#update(machine.onFetch(this.process.state, fetch, this.#now()));
    this.pump();
  }

  #onWake(): void {
    this.#update(machine.onTick(this.process.state, this.#now()));
    this.pump();
  }

  #update(state: machine.ProcessState): void {
    this.process.state = state;
  }

  #nextNonce(): string {
    this.#lastNonce += 1;
    return this.#lastNonce.toString(16);
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
