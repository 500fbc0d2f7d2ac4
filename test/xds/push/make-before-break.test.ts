import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Lookup,
  newProcess,
  nextProcessPush,
  onAnswer,
  onSlotRequest,
  onWanted,
  type ProcessState,
} from '../../../src/xds/push/process-machine.ts';
import { toWant } from './slot-story.ts';

const NOW = 1_000_000;
const tag = (): string => '0'.repeat(16);

/** Two slots of one process; what is wanted in each, as words. */
function process(authn: string, stats: string): ProcessState {
  const request = {
    subscribe: ['authn', 'stats'],
    unsubscribe: [],
    versions: new Map<string, string>(),
    isWhole: true,
  };
  let state = onSlotRequest(
    newProcess({ fresh: true, bootstrapDenies: false }),
    request,
    want(authn, stats),
    NOW,
  );
  for (let i = 0; i < 2; i++) state = onAnswer(push(state).state, undefined, NOW);
  return state;
}

function want(authn: string, stats: string): Lookup {
  return slot => (slot === 'authn' ? toWant(authn) : toWant(stats));
}

function push(state: ProcessState): NonNullable<ReturnType<typeof nextProcessPush>> {
  return nextProcessPush(state, NOW, tag) ?? assert.fail('nothing is due');
}

test('a plugin that moves leaves its old slot after the new one was accepted', () => {
  const moved = onWanted(process('a@1', ''), want('', 'a@2'), NOW);
  const first = push(moved);
  assert.equal(first.slot, 'stats');
  assert.equal(push(onAnswer(first.state, undefined, NOW)).slot, 'authn');
});

test('while the new slot does not hold it, the old one keeps it', () => {
  const moved = onWanted(process('a@1', ''), want('', 'a@2'), NOW);
  const refused = onAnswer(push(moved).state, 'Unable to create Wasm plugin default/a', NOW);
  assert.equal(nextProcessPush(refused, NOW, tag), undefined, 'the NACK is being judged');
});

test('two plugins that change places do not wait for each other for ever', () => {
  const swapped = onWanted(process('a@1', 'b@1'), want('b@2', 'a@2'), NOW);
  const first = push(swapped);
  assert.notEqual(push(onAnswer(first.state, undefined, NOW)).slot, first.slot);
});
