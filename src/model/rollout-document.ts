import type { DocumentPart } from './document-part.ts';
import { checkGates } from './gate-document.ts';
import type { JsonObject } from './plugin-spec.ts';
import { PRESETS } from './rollout-presets.ts';
import { parseDuration, parsePercent } from './rollout-units.ts';

const FIELDS = [
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
];

/** `spec.rollout`: checked here, kept as written; resolve-strategy.ts says what it means. */
export function readRollout(part: DocumentPart | undefined): JsonObject | undefined {
  const written = part?.json();
  if (part === undefined || written === undefined) return undefined;
  const fields = part.fields(FIELDS);
  fields.get('preset')?.oneOf(PRESETS);
  fields.get('onFailure')?.oneOf(['rollback', 'freeze']);
  fields.get('message')?.text({ max: 1024 });
  checkPercent(fields.get('maxDisconnected'));
  for (const name of ['bake', 'moduleDeadline']) checkDuration(fields.get(name));
  for (const name of ['ackTimeout', 'progressDeadline']) checkDuration(fields.get(name), 1000);
  checkSteps(fields.get('steps'));
  checkWaves(fields.get('waves'));
  checkGates(fields.get('gates'));
  return written;
}

function checkWaves(part: DocumentPart | undefined): void {
  const waves = readList(part, 100);
  const names = new Set<string>();
  for (const [index, wave] of waves.entries()) {
    const fields = wave.fields(['name', 'selector', 'steps', 'pause']);
    const name = fields.get('name')?.text({ min: 1, max: 253 });
    if (name !== undefined && names.has(name))
      fields.get('name')?.fault('contradiction', `another wave is called ${name}`);
    if (name !== undefined) names.add(name);
    const selector = fields.get('selector');
    if (selector !== undefined) checkSelector(selector);
    else if (index < waves.length - 1 && wave.value !== null && typeof wave.value === 'object')
      wave.fault(
        'contradiction',
        'a wave without a selector takes every node that is left, so it is the last one',
      );
    checkSteps(fields.get('steps'));
    checkPause(fields.get('pause'));
  }
}

function checkSelector(part: DocumentPart): void {
  const fields = part.fields(['matchLabels', 'zone']);
  fields.get('zone')?.text({ min: 1, max: 253 });
  for (const [, label] of fields.get('matchLabels')?.entries() ?? []) label.text({ max: 63 });
  if (typeof part.value === 'object' && Object.keys(part.value ?? {}).length === 0)
    part.fault(
      'missing-field',
      'a selector has matchLabels, zone or both',
      'The last wave may go without one.',
    );
}

/** Sizes of one unit must grow; a share and a count of nodes can only be compared when the nodes are known. */
function checkSteps(part: DocumentPart | undefined): void {
  const most = { nodes: 0, share: 0 };
  for (const step of readList(part, 100)) {
    if (most.share >= 100)
      step.fault('contradiction', 'nothing comes after the step with 100%', 'Write it before that step.');
    const fields = step.fields(['nodes', 'share', 'soak', 'pause']);
    checkShape(step, fields);
    const nodes = fields.get('nodes');
    const share = fields.get('share');
    const asked = { nodes: nodes?.integer(1, 1_000_000) ?? 0, share: checkPercent(share) ?? 0 };
    if (share !== undefined && parsePercent(share.value) === 0)
      share.fault('out-of-bounds', 'a step of 0% moves no node');
    else if (asked.share > 0 && asked.share <= most.share) checkGrowth(share, `${most.share}%`);
    if (asked.nodes > 0 && asked.nodes <= most.nodes) checkGrowth(nodes, `${most.nodes} nodes`);
    most.nodes = Math.max(most.nodes, asked.nodes);
    most.share = Math.max(most.share, asked.share);
    checkDuration(fields.get('soak'));
    checkPause(fields.get('pause'));
    if (asked.share >= 100)
      fields
        .get('pause')
        ?.fault(
          'contradiction',
          'nothing comes after the step with 100%',
          'Write it before that step: - pause: human',
        );
  }
}

function checkGrowth(part: DocumentPart | undefined, before: string): void {
  part?.fault('out-of-bounds', `steps grow, and one before this has ${before}`);
}

/** A size, or nothing but a pause. */
function checkShape(step: DocumentPart, fields: ReadonlyMap<string, DocumentPart>): void {
  if (step.value === null || typeof step.value !== 'object') return;
  const sizes = ['nodes', 'share'].filter(name => fields.has(name)).length;
  if (sizes === 1 || (sizes === 0 && fields.size === 1 && fields.has('pause'))) return;
  step.fault('contradiction', 'a step has either nodes: N or share: P%, or is a pause alone');
}

function checkDuration(part: DocumentPart | undefined, minMs = 0): number | undefined {
  const text = part?.text();
  if (part === undefined || text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms < minMs)
    return part.fault('out-of-bounds', `${JSON.stringify(text)} is not a duration such as 30s, 10m or 1h30m`);
  return ms;
}

function checkPercent(part: DocumentPart | undefined): number | undefined {
  const text = part?.text();
  if (part === undefined || text === undefined) return undefined;
  const percent = parsePercent(text);
  if (percent === undefined || percent > 100)
    return part.fault('out-of-bounds', `${JSON.stringify(text)} is not a share such as 10%`);
  return percent;
}

function checkPause(part: DocumentPart | undefined): void {
  if (part === undefined || part.value === 'human') return;
  const text = part.text();
  if (text !== undefined && parseDuration(text) === undefined)
    part.fault('out-of-bounds', `${JSON.stringify(text)} is not human, or a duration such as 10m`);
}

/** A list that is there holds something: an empty one would silently mean the default. */
function readList(part: DocumentPart | undefined, max: number): readonly DocumentPart[] {
  const items = part?.items(max) ?? [];
  if (part !== undefined && Array.isArray(part.value) && items.length === 0)
    part.fault('out-of-bounds', 'at least one, or leave it out');
  return items;
}
