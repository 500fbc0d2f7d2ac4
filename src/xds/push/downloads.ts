import type { ModuleFetch } from '../../model/module-fetch.ts';
import type { SlotContent } from '../../model/snapshot.ts';

/** The GETs of one process, newest last. Only the last few per module are kept: older ones prove nothing. */
export type Downloads = ReadonlyMap<string, readonly Download[]>;

export interface Download {
  readonly id: number;
  readonly startedAt: number;
  readonly state: ModuleFetch['state'];
}

const KEPT_PER_MODULE = 8;

/** After the NACK, how long a GET may still come that makes it a miss (design 5.3). */
export const GET_GRACE_MS = 1000;

export function withFetch(downloads: Downloads, fetch: ModuleFetch): Downloads {
  const known = downloads.get(fetch.moduleSha256) ?? [];
  const old = known.find(download => download.id === fetch.id);
  const startedAt = old?.startedAt ?? fetch.at;
  const rest = known.filter(download => download !== old);
  const next = [...rest, { id: fetch.id, startedAt, state: fetch.state }].sort((a, b) => a.id - b.id);
  return new Map(downloads).set(fetch.moduleSha256, next.slice(-KEPT_PER_MODULE));
}

/** The GETs for any module of the content that began in [from, to]. */
export function downloadsFor(
  downloads: Downloads,
  content: SlotContent,
  from: number,
  to = Number.POSITIVE_INFINITY,
): readonly (Download & { moduleSha256: string })[] {
  return modulesOf(content).flatMap(moduleSha256 =>
    (downloads.get(moduleSha256) ?? [])
      .filter(download => download.startedAt >= from && download.startedAt <= to)
      .map(download => ({ ...download, moduleSha256 })),
  );
}

export function modulesOf(content: SlotContent): readonly string[] {
  return [...new Set(content.plugins.map(plugin => plugin.moduleSha256))];
}
