import type { DocumentPart } from './document-part.ts';
import type { JsonObject } from './plugin-spec.ts';

const PRESETS = ['cautious', 'standard', 'fast', 'all-at-once'] as const;
const GATE_KINDS = ['5xx', 'latency-p99', 'metric', 'webhook', 'prometheus', 'memory'] as const;
const DURATION = { pattern: /^(?=\d)(\d+h)?(\d+m)?(\d+s)?$/, wants: 'a duration such as 30s, 10m or 1h30m' };
const SHARE = { pattern: /^(100|[1-9]?\d)(\.\d+)?%$/, wants: 'a share such as 10%' };

/** `spec.rollout`: checked for shape, kept as written. */
export function readRollout(part: DocumentPart | undefined): JsonObject | undefined {
  if (part === undefined) return undefined;
  const fields = part.fields([
    'preset',
    'waves',
    'steps',
    'bake',
    'ackTimeout',
    'progressDeadline',
    'moduleDeadline',
    'maxDisconnected',
    'gates',
    'onFailure',
    'message',
  ]);
  fields.get('preset')?.oneOf(PRESETS);
  fields.get('onFailure')?.oneOf(['rollback', 'freeze']);
  fields.get('message')?.text({ max: 1024 });
  fields.get('maxDisconnected')?.text(SHARE);
  for (const name of ['bake', 'ackTimeout', 'progressDeadline', 'moduleDeadline'])
    fields.get(name)?.text(DURATION);
  for (const step of fields.get('steps')?.items(100) ?? []) checkStep(step);
  for (const wave of fields.get('waves')?.items(100) ?? []) checkWave(wave);
  for (const gate of fields.get('gates')?.items(32) ?? []) checkGate(gate);
  return part.json();
}

function checkStep(step: DocumentPart): void {
  const fields = step.fields(['nodes', 'share', 'soak', 'pause']);
  if (fields.has('nodes') === fields.has('share'))
    step.fault('contradiction', 'a step has either nodes: N or share: P%');
  fields.get('nodes')?.integer(1, 1_000_000);
  fields.get('share')?.text(SHARE);
  fields.get('soak')?.text(DURATION);
  checkPause(fields.get('pause'));
}

function checkWave(wave: DocumentPart): void {
  const fields = wave.fields(['name', 'selector', 'steps', 'pause']);
  fields.get('name')?.text({ min: 1, max: 253 });
  fields.get('selector')?.json();
  for (const step of fields.get('steps')?.items(100) ?? []) checkStep(step);
  checkPause(fields.get('pause'));
}

function checkPause(part: DocumentPart | undefined): void {
  if (part !== undefined && part.value !== 'human')
    part.text({ ...DURATION, wants: 'human, or a duration such as 10m' });
}

function checkGate(gate: DocumentPart): void {
  // Beside these a gate has fields of its kind, which the rollout stage reads.
  for (const [key, part] of gate.entries()) {
    if (key === 'kind') part.oneOf(GATE_KINDS);
    if (key === 'every') part.text(DURATION);
  }
}
