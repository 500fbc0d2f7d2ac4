import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { DocumentPart } from '../src/model/document-part.ts';
import type { JsonObject } from '../src/model/plugin-spec.ts';
import { resolveStrategy } from '../src/model/resolve-strategy.ts';
import { ROLLOUT_PHASES } from '../src/model/rollout.ts';
import { readRollout } from '../src/model/rollout-document.ts';
import { legalActions, ROLLOUT_ACTIONS } from '../src/model/rollout-intent.ts';
import { HARD_GATES, PRESETS, WRITTEN_KINDS } from '../src/model/rollout-presets.ts';

const page = readFileSync(new URL('../docs/rollouts.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, text = '']) => (parse(text) as { spec: { rollout: JsonObject } }).spec.rollout,
);

test('every example is taken as it is written', () => {
  assert.ok(examples.length >= 3);
  for (const rollout of examples) {
    const part = new DocumentPart(rollout);
    readRollout(part);
    assert.deepEqual(part.faults, []);
  }
});

test('there is an example of every kind of gate', () => {
  const kinds = new Set(
    examples.flatMap(rollout => resolveStrategy(rollout, { targets: 9 }).gates).map(({ kind }) => kind),
  );
  for (const kind of WRITTEN_KINDS) assert.ok(kinds.has(kind), kind);
});

test('every preset, phase, verb and hard gate is there', () => {
  const words = [...PRESETS, ...ROLLOUT_ACTIONS, ...HARD_GATES.map(({ name }) => name)];
  for (const word of words) assert.ok(page.includes(`| \`${word}\``), word);
  for (const phase of ROLLOUT_PHASES) assert.ok(page.includes(`| ${phase} `), phase);
});

test('the presets are what the table says', () => {
  for (const preset of PRESETS) {
    const [row = ''] = page.match(new RegExp(`^\\| \`${preset}\`.*$`, 'm')) ?? [];
    const [, , steps = '', bake = ''] = row.split('|');
    const { waves, bakeMs } = resolveStrategy({ preset }, { targets: 100 });
    const sizes = (waves[0]?.steps ?? []).map(({ size }) =>
      'nodes' in size ? `${size.nodes} node` : `${size.percent} %`,
    );
    assert.deepEqual(steps.match(/\d+ (node|%)/g), sizes, preset);
    assert.equal(bake.trim(), `${bakeMs / 60_000} min`);
  }
});

test('verbs are allowed in the phases that the table says', () => {
  for (const action of ['pause', 'resume', 'promote', 'abort', 'retry'] as const) {
    const [row = ''] = page.match(new RegExp(`^\\| \`${action}\`.*$`, 'm')) ?? [];
    const said = (row.split('|')[2] ?? '').split(',').map(word => word.trim());
    assert.deepEqual(
      said,
      ROLLOUT_PHASES.filter(phase => legalActions(phase).includes(action)).sort(
        (a, b) => said.indexOf(a) - said.indexOf(b),
      ),
      action,
    );
  }
});

test('words of ours that people need not know are not there', () => {
  assert.doesNotMatch(page, /\b(slots?|attempts?|verdicts?|process(es)?|nonces?|cohorts?)\b/i);
});
