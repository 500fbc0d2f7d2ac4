import type { EncodedResource } from '../../model/resource.ts';
import * as deltaResponse from '../delta/response.ts';
import * as deltaSubscription from '../delta/subscription.ts';
import type { DiscoveryRequest } from '../discovery-request.ts';
import type { SlotState } from '../push/slot-state.ts';
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
  readonly #send: (bytes: Buffer) => void;
  /** Places that were asked for on this stream. */
  readonly slots = new Set<string>();
  /** Version of each place as this client ACKed it; only kept for the state of the world. */
  #slotVersions = new Map<string, string>();
  #slotClaim = '';
  #slotsOut: ReadonlyMap<string, string> | undefined;
  readonly #askedFor = new Set<string>();
  #lastNonce = 0;

  constructor(form: ProtocolForm, typeUrl: string | undefined, send: (bytes: Buffer) => void) {
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
    const isFirst = !this.#askedFor.has(typeUrl);
    this.#askedFor.add(typeUrl);
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
    this.#send(
      this.form === 'delta'
        ? deltaResponse.toResponse(typeUrl, nonce, difference)
        : sotwResponse.toResponse(typeUrl, nonce, difference, state, resources),
    );
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
    const names = request.names.filter(isPlace);
    const { versionInfo } = request;
    const subscribe = [...new Set(names)].filter(name => !this.slots.has(name));
    const unsubscribe = [...this.slots].filter(name => !names.includes(name));
    for (const name of unsubscribe) this.#slotVersions.delete(name);
    if (!isFirst || versionInfo === '') return { subscribe, unsubscribe, versions: new Map() };
    const versions = recallVersions(versionInfo, names, remembered, known);
    this.#slotVersions = new Map(versions ?? []);
    this.#slotClaim = versionInfo;
    // What is dropped from now on is no part of what this version stands for.
    if (versions !== undefined) remembered.set(versionInfo, this.#slotVersions);
    return { subscribe, unsubscribe, versions };
  }

  pushSlot(name: string, version: string, any: Uint8Array, nonce: string): void {
    if (this.form === 'delta') {
      this.#send(deltaResponse.toSlotResponse({ name, version, any }, nonce));
      return;
    }
    this.#slotsOut = new Map(this.#slotVersions).set(name, version);
    this.#send(sotwResponse.toSlotResponse(any, nonce, this.#slotsOut));
  }

  /** The push of a place was ACKed: what its client will bring as version from now on stands for these. */
  slotAcked(remembered: RememberedVersions): void {
    if (this.#slotsOut === undefined) return;
    remembered.delete(this.#slotClaim);
    const kept = [...this.#slotsOut].filter(([name]) => this.slots.has(name));
    const claim = sotwResponse.toSlotsVersion(this.#slotsOut);
    // What it let go of meanwhile is in its version, and nothing that it has.
    this.#slotVersions = new Map(kept);
    this.#slotClaim = claim;
    remembered.set(this.#slotClaim, this.#slotVersions);
    const [oldest] = remembered.keys();
    if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  }
}

function readDelta(request: DiscoveryRequest & { form: 'delta' }): SlotNames {
  const { subscribe, unsubscribe, initialVersions: versions } = request;
  return { subscribe: subscribe.filter(isPlace), unsubscribe, versions };
}

function isPlace(name: string): boolean {
  return name !== '*';
}
