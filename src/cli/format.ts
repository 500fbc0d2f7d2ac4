import { toSizeText } from '../model/quantity-text.ts';

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

/** `512 B`, `254 KB`, `1.1 MB`, `10 GB`; decimal units. */
export const formatSize = toSizeText;

/** The twelve characters of a digest that tables show; a `sha256:` in front is dropped. */
export function formatDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** `0.9 s` */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The reader's own clock: `02:59:07`; with the date where it is not of the last or the next 24 hours. */
export function formatClock(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  if (Math.abs(nowMs - timeMs) < DAY_MS) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}

/** For a column of history: `40s` in the first minute, `02:59` for a day, then `9d`. */
export function formatWhen(time: string, nowMs: number): string {
  const at = Date.parse(time);
  if (nowMs - at < 60_000 || nowMs - at >= DAY_MS) return formatAge(at, nowMs);
  return formatClock(at, nowMs).slice(0, 5);
}

/** A sentence of the server with its RFC 3339 times as the reader's own clock says them. */
export function localizeTimes(sentence: string, nowMs: number): string {
  return sentence.replace(RFC3339, time => formatClock(Date.parse(time), nowMs));
}

const DAY_MS = 86_400_000;
const RFC3339 = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;

/** What stands where there is nothing. */
export const NONE = '–';
