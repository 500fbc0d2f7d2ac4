import type { EncodedResource } from '../../model/resource.ts';
import * as deltaResponse from '../delta/response.ts';
import * as deltaSubscription from '../delta/subscription.ts';
import type { DiscoveryRequest } from '../discovery-request.ts';
import { toFrame } from '../grpc-frame.ts';
import type { SlotState } from '../push/slot-state.ts';
import { encodeDeltaSlot, encodeSotwSlot, type SlotPush } from '../slot-bytes.ts';
import { type Claimed, NOTHING_CLAIMED, withPush } from '../sotw/claims.ts';
import { recallVersions } from '../sotw/recall-versions.ts';
import { type FormerSet, settleClaim } from '../sotw/resource-set.ts';
import * as sotwResponse from '../sotw/response.ts';
import * as sotwSubscription from '../sotw/subscription.ts';
import { XdsError } from '../xds-error.ts';
import type { Difference, Subscription } from './subscription.ts';

/** The two forms of the protocol: incremental, and state of the world. */
export type ProtocolForm = DiscoveryRequest['form'];

/** What a slot request means in either form. */
export interface SlotNames {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** By name, what the client says it holds; undefined: it holds something, and nobody knows what. */
  readonly versions: ReadonlyMap<string, string> | undefined;
}

/** Versions of all places of a process by the one version that stood for them, for the state of the world. */
export type RememberedVersions = Map<string, ReadonlyMap<string, string>>;

/** Most requests of a stream are answers, and say nothing of names. */
const NO_CHANGE: SlotNames = { subscribe: [], unsubscribe: [], versions: new Map() };

/** A stream of its own for each place is the most that an Envoy opens. */
const MOST_REMEMBERED = 256;

/**
 * One gRPC stream of a process: for all types (ADS), or for one. It knows the form of the protocol, and nothing of what
 * is due.
 */
export class Channel {
  readonly form: ProtocolForm;
  /** The one type that it is for; undefined: all of them. */
  readonly typeUrl: string | undefined;
  readonly #send: (frame: Buffer) => void;
  /** Places that were asked for on this stream. */
  readonly slots = new Set<string>();
  /** What this client ACKed of each place; only kept for the state of the world. */
  #slotsAcked = NOTHING_CLAIMED;
  /** The same once what is out is ACKed. */
  #slotsOut: Claimed | undefined;
  #askedFor: readonly string[] = [];
  #lastNonce = 0;

  constructor(form: ProtocolForm, typeUrl: string | undefined, send: (frame: Buffer) => void) {
    this.form = form;
    this.typeUrl = typeUrl;
    this.#send = send;
  }

  /** Throws XdsError `type-url-missing` or `type-url-foreign`. */
  typeOf(request: DiscoveryRequest): string {
    const typeUrl = request.typeUrl || this.typeUrl;
    if (typeUrl === undefined) throw new XdsError('type-url-missing', 'an ADS request needs a type_url');
    if (this.typeUrl !== undefined && typeUrl !== this.typeUrl)
      throw new XdsError('type-url-foreign', `this stream is for ${this.typeUrl}, not for ${typeUrl}`);
    return typeUrl;
  }

  /** Whether this is its first request for the type: only that one tells what was there before the stream. */
  begins(typeUrl: string): boolean {
    const isFirst = !this.#askedFor.includes(typeUrl);
    if (isFirst) this.#askedFor = [...this.#askedFor, typeUrl];
    return isFirst;
  }

  nextNonce(): string {
    this.#lastNonce += 1;
    return this.#lastNonce.toString(16);
  }

  subscribe(request: DiscoveryRequest, wildcardType: boolean): Subscription {
    return request.form === 'delta'
      ? deltaSubscription.subscribe(request, wildcardType)
      : sotwSubscription.subscribe(request, wildcardType);
  }

  rename(state: Subscription, request: DiscoveryRequest): Subscription {
    return request.form === 'delta'
      ? deltaSubscription.rename(state, request)
      : sotwSubscription.rename(state, request);
  }

  /** What the client has, once it is known what there is. */
  settle(
    state: Subscription,
    resources: ReadonlyMap<string, EncodedResource>,
    former: FormerSet | undefined,
  ): Subscription {
    return this.form === 'delta' ? state : settleClaim(state, resources, former);
  }

  push(
    typeUrl: string,
    nonce: string,
    difference: Difference,
    state: Subscription,
    resources: ReadonlyMap<string, EncodedResource>,
  ): void {
    const response =
      this.form === 'delta'
        ? deltaResponse.toResponse(typeUrl, nonce, difference)
        : sotwResponse.toResponse(typeUrl, nonce, difference, state, resources);
    this.#send(toFrame(response));
  }

  // --- extension configs ---

  /** Names and versions of a request for places; takes the names over. There is no wildcard: a place is asked for. */
  readSlots(
    request: DiscoveryRequest,
    isFirst: boolean,
    remembered: RememberedVersions,
    known: ReadonlyMap<string, SlotState>,
  ): SlotNames {
    const names =
      request.form === 'delta' ? readDelta(request) : this.#readSotw(request, isFirst, remembered, known);
    if (names === NO_CHANGE) return names;
    for (const name of names.unsubscribe) this.slots.delete(name);
    for (const name of [...names.subscribe, ...(names.versions?.keys() ?? [])])
      if (!names.unsubscribe.includes(name)) this.slots.add(name);
    return names;
  }

  #readSotw(
    request: DiscoveryRequest & { form: 'sotw' },
    isFirst: boolean,
    remembered: RememberedVersions,
    known: ReadonlyMap<string, SlotState>,
  ): SlotNames {
    const { versionInfo } = request;
    if (!isFirst && this.#asksFor(request.names)) return NO_CHANGE;
    const names = request.names.filter(isPlace);
    const subscribe = [...new Set(names)].filter(name => !this.slots.has(name));
    const unsubscribe = [...this.slots].filter(name => !names.includes(name));
    this.#letGo(unsubscribe, remembered);
    if (!isFirst || versionInfo === '') return { subscribe, unsubscribe, versions: new Map() };
    const versions = recallVersions(versionInfo, names, remembered, known);
    this.#slotsAcked = { versions: versions ?? new Map(), claim: versionInfo };
    if (versions !== undefined) remembered.set(versionInfo, versions);
    return { subscribe, unsubscribe, versions };
  }

  /** What it has let go of is in the version that it tells, and nothing that it has. */
  #letGo(dropped: readonly string[], remembered: RememberedVersions): void {
    const { claim, versions } = this.#slotsAcked;
    if (!dropped.some(name => versions.has(name))) return;
    const left = new Map([...versions].filter(([name]) => !dropped.includes(name)));
    if (remembered.get(claim) === versions) remembered.set(claim, left);
    this.#slotsAcked = { claim, versions: left };
  }

  /** Whether these are the places that it asks for already, each once. */
  #asksFor(names: readonly string[]): boolean {
    return (
      names.length === this.slots.size &&
      names.every((name, i) => this.slots.has(name) && names.indexOf(name) === i)
    );
  }

  pushSlot(push: SlotPush, nonce: string): void {
    if (this.form === 'delta') {
      this.#send(encodeDeltaSlot(push, nonce));
      return;
    }
    this.#slotsOut = withPush(this.#slotsAcked.versions, push);
    this.#send(encodeSotwSlot(push, this.#slotsOut.claim, nonce));
  }

  /** The push of a place was ACKed: what its client will bring as version from now on stands for these. */
  slotAcked(remembered: RememberedVersions): void {
    if (this.#slotsOut === undefined) return;
    const { claim, versions } = this.#slotsOut;
    remembered.delete(this.#slotsAcked.claim);
    this.#slotsAcked = this.#slotsOut;
    remembered.set(claim, versions);
    this.#letGo(
      [...versions.keys()].filter(name => !this.slots.has(name)),
      remembered,
    );
    if (remembered.size <= MOST_REMEMBERED) return;
    const [oldest] = remembered.keys();
    if (oldest !== undefined) remembered.delete(oldest);
  }
}

function readDelta(request: DiscoveryRequest & { form: 'delta' }): SlotNames {
  const { subscribe, unsubscribe, initialVersions: versions } = request;
  if (subscribe.length + unsubscribe.length + versions.size === 0) return NO_CHANGE;
  return { subscribe: subscribe.filter(isPlace), unsubscribe, versions };
}

function isPlace(name: string): boolean {
  return name !== '*';
}
