import type { TrialFacts } from '../../model/revision.ts';
import { ModuleError } from '../module-error.ts';
import type { TrialResult } from './trial-result.ts';

/** Where in the document the plugin's configuration is: all that is known of the place of a fault. */
const CONFIGURATION = '/spec/pluginConfig';
const MAX_LINES = 3;

/**
 * The facts of a trial run that lets its revision pass. Throws ModuleError: one of TrialErrorCode or `broken-wasm`, with
 * the plugin's own log lines, or `trial-not-run`, which passes.
 */
export function judgeTrial(result: TrialResult): TrialFacts {
  const { outcome, reason, tookMs, unknowable, leaving } = result;
  switch (outcome) {
    case 'ok':
      return { outcome, tookMs, unknowable, ...(leaving === '' ? {} : { leaving }) };
    case 'unsure':
      return { outcome, reason, logs: lastLines(result), tookMs, unknowable };
    case 'broken':
      throw new ModuleError('broken-wasm', `the module holds code that is not valid: ${reason}`, {
        hint: 'Build the module again: the file is damaged.',
      });
    case 'refused':
      throw makeError('trial-refused', `the plugin refuses this configuration${quote(result)}`, {
        hint: 'Correct spec.pluginConfig: its own log line tells what it wants. No node was touched.',
      });
    case 'trapped':
      throw makeError('trial-trapped', `the plugin traps when it starts: ${reason}${quote(result)}`, {
        hint: 'Envoys would answer 503 with it, or crash. Check spec.pluginConfig and spec.pluginName; no node was touched.',
      });
    case 'timed-out':
      throw makeError('trial-timeout', `the plugin does not come to an end: ${reason}${quote(result)}`, {
        hint: 'An Envoy would stand still for as long: it has no limit of its own. No node was touched.',
      });
    case 'out-of-memory':
      throw makeError(
        'trial-memory',
        `the plugin takes too much memory when it starts: ${reason}${quote(result)}`,
        {
          hint: 'Envoy gives 1024 MiB to each of its workers. No node was touched.',
        },
      );
    case 'not-run':
      throw new ModuleError('trial-not-run', `the plugin could not be tried: ${reason}`, {
        hint: 'It is tried again. Attaché must be able to start programs of its own.',
      });
    default:
      return outcome satisfies never;
  }
}

function makeError(
  code: 'trial-refused' | 'trial-trapped' | 'trial-timeout' | 'trial-memory',
  message: string,
  { hint }: { hint: string },
): ModuleError {
  return new ModuleError(code, message, { hint, faults: [{ pointer: CONFIGURATION, message }] });
}

/** What the plugin said last, behind a colon; nothing when it said nothing. */
function quote(result: TrialResult): string {
  const lines = lastLines(result);
  return lines.length === 0 ? '' : `: ${lines.map(line => `"${line}"`).join(', ')}`;
}

/** Its last warnings and errors, or else its last words. */
function lastLines({ logs }: TrialResult): readonly string[] {
  const grave = logs.filter(({ level }) => level === 'warn' || level === 'error' || level === 'critical');
  return (grave.length > 0 ? grave : logs).slice(-MAX_LINES).map(({ message }) => message);
}
