import type { AuditEntry } from '../model/audit.ts';
import { formatClock, localizeTimes } from './format.ts';

const ACTOR_WIDTH = 12;
const ACTION_WIDTH = 22;

/** `03:11:02  ci-edge       plugin.held-back        edge/auth: apply by ci-edge: held back`. */
export function formatAuditEntry(entry: AuditEntry, nowMs: number): string {
  const { time, actor, action, subject, behalf, reason } = entry;
  const isDenied = entry.result === 'denied';
  const about = isDenied ? `${action} ${subject}` : entry.text.includes(subject) ? undefined : subject;
  const sentence = [about, entry.text].filter(part => part !== undefined).join(': ');
  const why = reason === undefined || sentence.includes(reason) ? '' : `: ${reason}`;
  const cause = behalf === undefined || sentence.includes(behalf) ? '' : ` (asked for by ${behalf})`;
  const line = `${sentence}${why}${cause}`.replace(/\s*\n\s*/g, ' ');
  const what = isDenied ? `denied ${entry.code ?? ''}` : action;
  return [
    formatClock(Date.parse(time), nowMs),
    actor.padEnd(ACTOR_WIDTH),
    what.padEnd(ACTION_WIDTH),
    localizeTimes(line, nowMs),
  ].join('  ');
}
