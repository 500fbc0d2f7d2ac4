import type { DocumentPart } from './document-part.ts';
import { HARD_GATES } from './rollout-presets.ts';
import type { GateKind } from './rollout-strategy.ts';
import { describeLimit, type LimitField, parseDuration, parseLimit } from './rollout-units.ts';

const KINDS = ['5xx', 'latency-p99', 'metric', 'webhook', 'prometheus', 'memory'] as const;
type WrittenKind = (typeof KINDS)[number];
/** They look as if they were obeyed, so a document that asks for one is refused. */
const TO_COME: readonly WrittenKind[] = ['webhook', 'prometheus'];
/** The names of gates that every rollout has. `5xx` may be written anew. */
const TAKEN: readonly string[] = HARD_GATES.map(({ name }) => name);
const FIELDS = ['name', 'kind', 'max', 'maxIncrease', 'minRequests', 'every', 'failures', 'dryRun'];
const FIELDS_OF: Readonly<Partial<Record<WrittenKind, readonly string[]>>> = {
  metric: ['metric'],
  webhook: ['url'],
  prometheus: ['url', 'query'],
};

/** `spec.rollout.gates`. */
export function checkGates(part: DocumentPart | undefined): void {
  const names = new Set<string>();
  for (const gate of part?.items(32) ?? []) {
    const name = checkGate(gate);
    if (name === undefined) continue;
    if (names.has(name)) gate.at('name', name).fault('contradiction', `another gate is called ${name}`);
    names.add(name);
  }
}

/** Answers its name. */
function checkGate(gate: DocumentPart): string | undefined {
  if (gate.value === null || typeof gate.value !== 'object' || Array.isArray(gate.value)) {
    gate.entries();
    return undefined;
  }
  const written = KINDS.find(kind => kind === (gate.value as { kind?: unknown }).kind);
  const fields = gate.fields([...FIELDS, ...((written && FIELDS_OF[written]) ?? [])]);
  const kindPart = fields.get('kind');
  const kind = kindPart?.oneOf(KINDS);
  const name = fields.get('name')?.text({ min: 1, max: 63 });
  if (!fields.has('name')) gate.missing('name');
  if (kindPart === undefined) gate.missing('kind', `One of ${KINDS.join(', ')}`);
  if (kind !== undefined && TO_COME.includes(kind))
    kindPart?.fault(
      'not-supported',
      `gates of kind ${kind} do not exist yet`,
      'Envoys push what 5xx, latency-p99, metric and memory need.',
    );
  else if (kind !== undefined) checkKind(gate, kind, fields);
  if (name !== undefined) checkName(fields.get('name'), name, kind);
  checkCounts(fields);
  return name;
}

function checkName(part: DocumentPart | undefined, name: string, kind: GateKind | undefined): void {
  if (TAKEN.includes(name) || (name === '5xx' && kind !== undefined && kind !== '5xx'))
    part?.fault('contradiction', `${name} is the name of a gate that every rollout has`);
}

/** What each kind needs. */
function checkKind(gate: DocumentPart, kind: GateKind, fields: ReadonlyMap<string, DocumentPart>): void {
  if (kind === 'metric') {
    fields.get('metric')?.text({ min: 1, max: 256 });
    if (!fields.has('metric'))
      gate.missing('metric', 'The name of a counter of the plugin, without wasmcustom.');
  }
  if (kind === 'memory')
    fields
      .get('minRequests')
      ?.fault('contradiction', 'memory is not judged by requests', 'Leave minRequests out.');
  if (!fields.has('max') && !fields.has('maxIncrease'))
    gate.missing('max', 'A gate needs a limit: max, maxIncrease or both.');
  for (const field of ['max', 'maxIncrease'] as const) checkLimit(kind, field, fields.get(field));
}

function checkLimit(kind: GateKind, field: LimitField, part: DocumentPart | undefined): void {
  if (part === undefined || parseLimit(kind, field, part.value) !== undefined) return;
  const wants = describeLimit(kind, field);
  if (typeof part.value !== 'string' && typeof part.value !== 'number')
    part.fault('wrong-type', `expected ${wants}`);
  else part.fault('out-of-bounds', `${JSON.stringify(part.value)} is not ${wants}`);
}

function checkCounts(fields: ReadonlyMap<string, DocumentPart>): void {
  fields.get('minRequests')?.integer(1, 1_000_000_000);
  fields.get('failures')?.integer(0, 1000);
  const dryRun = fields.get('dryRun');
  if (dryRun !== undefined && typeof dryRun.value !== 'boolean')
    dryRun.fault('wrong-type', 'expected true or false');
  const every = fields.get('every');
  const text = every?.text();
  if (text !== undefined && (parseDuration(text) ?? 0) < 1000)
    every?.fault(
      'out-of-bounds',
      `${JSON.stringify(text)} is not a duration such as 10s, of a second at least`,
    );
}
