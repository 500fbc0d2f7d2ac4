import type { FindNameConflicts } from '../model/name-conflict.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { CheckResource } from '../model/resource.ts';
import type { Store } from '../store/store.ts';
import { type Fleet, readFleet } from './fleet.ts';

/** What the routes are given. */
export interface ApiContext {
  readonly store: Store;
  readonly checkResource: CheckResource;
  readonly findNameConflicts: FindNameConflicts;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
  readonly version: string;
  /** Where Envoys find us, `HOST:PORT`, as `GET /` tells them who write bootstraps. */
  readonly addresses?: { readonly xds: string; readonly modules: string };
  /** A document in this namespace selects nodes of every namespace. */
  readonly rootNamespace: string;
  /** Runs writes one after the other, so that what a write was checked against still holds when it is made. */
  readonly exclusive: <T>(write: () => Promise<T>) => Promise<T>;
}

export function readNow({ store, rootNamespace, clock }: ApiContext): Promise<Fleet> {
  return readFleet(store, rootNamespace, clock.now());
}

/** Makes the `exclusive` of a context. */
export function createExclusive(): ApiContext['exclusive'] {
  let last: Promise<unknown> = Promise.resolve();
  return write => {
    const next = last.then(write, write);
    last = next.catch(() => undefined);
    return next;
  };
}
