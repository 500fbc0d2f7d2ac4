/** When things happened to one Envoy in one change; ms since the apply began. */
export interface EnvoyMarks {
  /** The first push of the change went out. */
  readonly pushedMs: number;
  /** Its last download of the module ended; undefined: it needed none. */
  readonly downloadedMs: number | undefined;
  /** The push went out that it accepted: the first, or one after the download. */
  readonly lastPushMs: number;
  /** The first answer to a request that shows the new behaviour. */
  readonly effectMs: number;
}

/** Of one change, ms since the apply began. */
export interface ChangeMarks {
  readonly answeredMs: number;
  /** The revision was made: module fetched and checked, trial run done. */
  readonly revisionMs: number;
  readonly envoys: readonly EnvoyMarks[];
}

/** Where the time of the slowest Envoy went, ms; `ours` and `envoys` are all of it. */
export interface Breakdown {
  readonly api: number;
  readonly module: number;
  /** Rollout, compiler, first push. */
  readonly push: number;
  /** Envoy: it asks for the module and gets it, from the push on. */
  readonly download: number;
  /** From the end of the download to the next push. */
  readonly again: number;
  /** Envoy: from the push that it accepts to the first new answer; compiling the module is in it. */
  readonly load: number;
  readonly total: number;
  readonly ours: number;
  readonly envoys: number;
  readonly ratio: number;
}

/** A part that another overtook counts as nothing, and the one that it waited for as what is left. */
export function toBreakdown({ answeredMs, revisionMs, envoys }: ChangeMarks): Breakdown {
  const last = envoys.reduce((slowest, one) => (one.effectMs > slowest.effectMs ? one : slowest));
  const { pushedMs, downloadedMs, lastPushMs, effectMs } = last;
  const api = Math.min(answeredMs, pushedMs);
  const made = Math.min(Math.max(revisionMs, api), pushedMs);
  const fetched = Math.min(downloadedMs ?? pushedMs, lastPushMs);
  const parts = {
    api,
    module: made - api,
    push: pushedMs - made,
    download: fetched - pushedMs,
    again: lastPushMs - fetched,
    load: effectMs - lastPushMs,
  };
  const ours = parts.api + parts.module + parts.push + parts.again;
  const ofEnvoy = parts.download + parts.load;
  return { ...parts, total: effectMs, ours, envoys: ofEnvoy, ratio: ours / ofEnvoy };
}
