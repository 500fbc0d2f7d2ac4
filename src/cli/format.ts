/** `12s`, `5m`, `8h`, `4d`; negative ages (clocks differ) are 0s. */
export function formatAge(fromMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - fromMs) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The age of an RFC 3339 time; `–` where it is not known. */
export function formatSince(time: string | null, nowMs: number): string {
  return time === null ? NONE : formatAge(Date.parse(time), nowMs);
}

/** `512 B`, `5.4 KB`, `254 KB`, `1.1 MB`; decimal units. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, 'KB'] : [bytes / 1_000_000, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** The twelve characters of a digest that tables show; a `sha256:` in front is dropped. */
export function formatDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** `1 node`, `3 nodes`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1,204` */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

/** `0.9 s` */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** What stands where there is nothing. */
export const NONE = '–';
