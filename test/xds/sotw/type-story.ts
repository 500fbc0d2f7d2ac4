/** One type on one stream of the state of the world; the test is the client, and says what there is. */
import type { EncodedResource } from '../../../src/model/resource.ts';
import { CLUSTER_TYPE, ROUTE_TYPE } from '../../../src/model/type-url.ts';
import type { SotwRequest } from '../../../src/xds/sotw/messages.ts';
import { settleClaim, toFormerSet, toSet, toSetVersion } from '../../../src/xds/sotw/resource-set.ts';
import * as sotw from '../../../src/xds/sotw/subscription.ts';
import * as subscription from '../../../src/xds/stream/subscription.ts';

export const sotwRequest = (fields: Partial<SotwRequest>): SotwRequest => ({
  form: 'sotw',
  node: undefined,
  typeUrl: CLUSTER_TYPE,
  versionInfo: '',
  names: [],
  responseNonce: '',
  errorDetail: undefined,
  ...fields,
});

/** `a@1 b@2` */
export function toResources(text: string, typeUrl = CLUSTER_TYPE): Map<string, EncodedResource> {
  const items = text.split(' ').filter(Boolean);
  return new Map(
    items.map(item => {
      const [name = '', version = ''] = item.split('@');
      return [name, { typeUrl, name, version, any: Buffer.from(item) }];
    }),
  );
}

/** The version of a set that holds this. */
export const setVersionOf = (text: string): string => toSetVersion(toResources(text).values());

export interface Begin {
  readonly names?: readonly string[];
  /** What it says that it accepted last. */
  readonly version?: string;
  /** Whose stream ended before. */
  readonly former?: TypeStory;
  /** Responses are sets (clusters), or parts (routes). Default set. */
  readonly form?: 'set' | 'part';
}

export class TypeStory {
  state: subscription.Subscription;
  resources = new Map<string, EncodedResource>();
  readonly held = new Set<string>();
  readonly #isSet: boolean;
  readonly #former: TypeStory | undefined;
  #nonce = 0;

  constructor({ names = [], version = '', form = 'set', former }: Begin = {}) {
    this.#former = former;
    this.#isSet = form === 'set';
    this.state = sotw.subscribe(sotwRequest({ names, versionInfo: version }), this.#isSet);
  }

  /** All there is from now on. */
  exist(text: string): this {
    this.resources = toResources(text, this.#isSet ? CLUSTER_TYPE : ROUTE_TYPE);
    return this;
  }

  name(...names: string[]): this {
    this.state = sotw.rename(this.state, sotwRequest({ names }));
    return this;
  }

  /** The response that goes out now, as `a@1 b@2`; `empty`, or undefined when none does. */
  send(): string | undefined {
    const former = this.#former && toFormerSet(this.#former.state);
    this.state = settleClaim(this.state, this.resources, former);
    if (this.state.inFlight !== undefined) return undefined;
    const due = subscription.diff(this.state, this.resources, it => !this.held.has(it.name));
    // As plan-push has it: first what is new, then what is gone.
    const hasNew = due.resources.length + due.missing.length > 0 || due.greets;
    if (!hasNew && due.removed.length === 0) return undefined;
    const difference = { resources: due.resources, removed: hasNew ? due.missing : due.removed };
    const out = this.#isSet ? toSet(this.state, difference, this.resources) : difference.resources;
    this.state = subscription.sent(this.state, difference, String(++this.#nonce), 0);
    return out.map(({ any }) => Buffer.from(any).toString()).join(' ') || 'empty';
  }

  answer(nack?: string, nonce = String(this.#nonce)): this {
    this.state = subscription.answer(this.state, nonce, nack);
    return this;
  }

  /** What goes out until nothing does, each ACKed. */
  settle(): readonly string[] {
    const all: string[] = [];
    for (let out = this.send(); out !== undefined; out = this.send()) {
      all.push(out);
      this.answer();
    }
    return all;
  }

  refused(): readonly string[] {
    return [...this.state.refused].map(([name, { version }]) => `${name}@${version}`);
  }
}

/** After its first response was ACKed. */
export function settled(exist: string, begin: Begin = {}): TypeStory {
  const story = new TypeStory(begin).exist(exist);
  story.settle();
  return story;
}
