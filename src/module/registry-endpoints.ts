import type { Clock } from '../model/ports.ts';
import { listMirrors, type RegistrySettings } from '../model/registry-settings.ts';
import { ModuleError } from './module-error.ts';
import type { Repository } from './registry-client.ts';

/** One of the places that hold a repository: a mirror, or the registry itself. */
export interface Endpoint extends Repository {
  readonly isMirror: boolean;
}

/** How long a place that did not answer is asked after the others. */
const SHUNNED_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** The mirrors of a repository in their order, then itself. */
export function listEndpoints(settings: RegistrySettings, repository: Repository): readonly Endpoint[] {
  const mirrors = listMirrors(settings, repository).map(name => {
    const slash = name.indexOf('/');
    return { host: name.slice(0, slash), repository: name.slice(slash + 1), isMirror: true };
  });
  const { host, repository: own } = repository;
  return [...mirrors, { host, repository: own, isMirror: false }];
}

export function toEndpointName({ host, repository }: Repository): string {
  return `${host}/${repository}`;
}

/** What is remembered of hosts that did not answer, or asked to be left alone. */
export class HostMemory {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #shunnedUntil = new Map<string, number>();
  readonly #pauses = new Map<string, { readonly until: number; readonly cause: string }>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The given order, with those last that did not answer lately. */
  order(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const now = this.#clock.now();
    const isShunned = ({ host }: Endpoint) => (this.#shunnedUntil.get(host) ?? 0) > now;
    return [...endpoints.filter(one => !isShunned(one)), ...endpoints.filter(isShunned)];
  }

  shun(host: string): void {
    this.#shunnedUntil.set(host, this.#clock.now() + SHUNNED_MS);
  }

  /** 429 with a time: the whole host is left alone until then. */
  pause(host: string, retryAfterMs: number, cause: string): void {
    const until = this.#clock.now() + Math.min(retryAfterMs, LONGEST_PAUSE_MS);
    this.#pauses.set(host, { until, cause });
  }

  /** Throws `registry-busy` while a host wants to be left alone. */
  checkPause(host: string): void {
    const pause = this.#pauses.get(host);
    const leftMs = (pause?.until ?? 0) - this.#clock.now();
    if (pause === undefined || leftMs <= 0) return;
    throw new ModuleError('registry-busy', pause.cause, {
      retryAfterMs: leftMs,
      hint: `${host} limits requests, and is asked again when it wants to be.`,
    });
  }
}
