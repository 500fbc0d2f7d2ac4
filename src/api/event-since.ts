import { ApiError } from './api-error.ts';
import type { EventPosition } from './event-history.ts';
import { readEventId } from './event-id.ts';

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const DURATION = /^(?=\d)(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** `2h`, an RFC 3339 time, or the id of an event. Throws ApiError `bad-query`. */
export function parseSince(text: string, now: number): EventPosition {
  if (readEventId(text) !== undefined) return { after: text };
  const from = readMoment(text, now);
  if (from !== undefined) return { from };
  throw new ApiError('bad-query', `since=${text}: neither a duration, a time nor the id of an event`, {
    hint: 'For instance since=2h, since=2026-07-01T03:00:00Z, or an id that a stream or list gave.',
  });
}

/** `2h` (ago) or an RFC 3339 time, in ms; `name` is the parameter's. Throws ApiError `bad-query`. */
export function parseMoment(name: string, text: string, now: number): number {
  const moment = readMoment(text, now);
  if (moment !== undefined) return moment;
  throw new ApiError('bad-query', `${name}=${text}: neither a duration nor a time`, {
    hint: `For instance ${name}=2h or ${name}=2026-07-01T03:00:00Z.`,
  });
}

function readMoment(text: string, now: number): number | undefined {
  const moment = parseDuration(text, now) ?? (TIME.test(text) ? Date.parse(text) : Number.NaN);
  return Number.isNaN(moment) ? undefined : moment;
}

function parseDuration(text: string, now: number): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [, d = 0, h = 0, m = 0, s = 0] = match;
  const ms = Number(d) * UNIT_MS.d + Number(h) * UNIT_MS.h + Number(m) * UNIT_MS.m + Number(s) * UNIT_MS.s;
  return now - ms;
}
