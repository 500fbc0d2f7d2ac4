import type { JsonObject } from './plugin-spec.ts';

import type { GateKind } from './rollout-strategy.ts';

/** How `spec.rollout` writes times, shares and sizes: one grammar for the check of a document and for its reader. */

const DURATION = /^(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const PERCENT = /^(\d+(?:\.\d+)?) ?%$/;
const BYTES = /^(\d+(?:\.\d+)?) ?([KMGT]i?)B?$/;
const UNITS_MS = [3_600_000, 60_000, 1000, 1];
/** Longer ones are a slip of the pen. */
const MAX_DURATION_MS = 30 * 24 * 3_600_000;

/** `30s`, `10m`, `1h30m` in ms; undefined: it is none, or more than 30 days. */
export function parseDuration(value: unknown): number | undefined {
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (match === null) return undefined;
  const ms = UNITS_MS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit, 0);
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

/** `10%` as 10; undefined: it is none. */
export function parsePercent(value: unknown): number | undefined {
  const match = typeof value === 'string' ? PERCENT.exec(value) : null;
  return match === null ? undefined : Number(match[1]);
}

export type LimitField = 'max' | 'maxIncrease';

/** What a gate's limit means, as `Gate` has it: percent, ms or bytes. undefined: not written as `describeLimit` wants. */
export function parseLimit(kind: GateKind, field: LimitField, value: unknown): number | undefined {
  const limit = unitOf(kind, field).parse(value);
  return limit !== undefined && Number.isFinite(limit) && limit >= 0 ? limit : undefined;
}

/** With an example: `a share such as 5%`. */
export function describeLimit(kind: GateKind, field: LimitField): string {
  return unitOf(kind, field).wants;
}

interface LimitUnit {
  readonly wants: string;
  parse(value: unknown): number | undefined;
}

const SHARE: LimitUnit = { wants: 'a share such as 5%', parse: parseNumberOr(parsePercent) };
const POINTS: LimitUnit = { wants: 'percentage points such as 2%', parse: parseNumberOr(parsePercent) };
const TIME: LimitUnit = { wants: 'a time such as 250ms', parse: parseDuration };
const SIZE: LimitUnit = { wants: 'a size such as 512MiB', parse: parseNumberOr(parseBytes) };

function unitOf(kind: GateKind, field: LimitField): LimitUnit {
  if (kind === '5xx') return field === 'max' ? SHARE : POINTS;
  if (field === 'maxIncrease') return SHARE;
  if (kind === 'latency-p99') return TIME;
  return kind === 'memory' ? SIZE : SHARE;
}

function parseNumberOr(parse: (value: unknown) => number | undefined) {
  return (value: unknown): number | undefined => (typeof value === 'number' ? value : parse(value));
}

function parseBytes(value: unknown): number | undefined {
  const match = typeof value === 'string' ? BYTES.exec(value) : null;
  if (match === null) return undefined;
  const [, count, unit = ''] = match;
  return Math.round(
    Number(count) * (unit.endsWith('i') ? 1024 : 1000) ** ('KMGT'.indexOf(unit.charAt(0)) + 1),
  );
}

const MODULE_DEADLINE_MS = 3_600_000;

/** `spec.rollout.moduleDeadline`, ms (default 1 h): how long a registry that does not answer is asked again. */
export function moduleDeadlineOf(rollout: JsonObject | undefined): number {
  return parseDuration(rollout?.moduleDeadline) ?? MODULE_DEADLINE_MS;
}
