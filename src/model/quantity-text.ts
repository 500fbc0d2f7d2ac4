/** Numbers as sentences have them. */

/** `1 node`, `1,204 requests`. */
export function toCountText(count: number, noun: string): string {
  return `${toNumberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1,204`. The first use of a locale takes 20 ms, and most of what is counted are whole numbers. */
export function toNumberText(value: number): string {
  return Number.isSafeInteger(value)
    ? String(value).replace(/\B(?=(?:\d{3})+$)/g, ',')
    : value.toLocaleString('en-US');
}

/** `512 B`, `5.4 KB`, `254 KB`, `1.1 MB`, `10 GB`; decimal units. */
export function toSizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [value, unit] =
    bytes < 999_500
      ? [bytes / 1_000, 'KB']
      : bytes < 999_500_000
        ? [bytes / 1_000_000, 'MB']
        : [bytes / 1_000_000_000, 'GB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes of `10GB`, `512 MiB`, `1048576`; undefined: it is no size. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([KMGT]I?B)?$/i.exec(text.trim()) ?? [];
  const factor = SIZE_UNITS[unit.toUpperCase()];
  const bytes =
    digits === undefined || factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** How long something took: `0.8 s`, `31 s`, `1m 2s`, `2h 5m`, `4d 1h`. */
export function toDurationText(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
  return `${Math.floor(minutes / 1_440)}d ${Math.floor((minutes % 1_440) / 60)}h`;
}

/** What something is expected to take: `30 s`, `2 min`, `1 h 30 min`. */
export function toEstimateText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** A clock that runs: `0:21`, `10:00`, `1:02:03`. */
export function toTimerText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** `edge-1 and 2 more`, `a, b, c`; `count` of them in all. */
export function toNamesText(names: readonly string[], shown = 3, count = names.length): string {
  const some = names.slice(0, shown);
  const rest = count - some.length;
  return rest > 0 ? `${some.join(', ')} and ${toNumberText(rest)} more` : some.join(', ');
}
