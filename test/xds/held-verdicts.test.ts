import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { HOLD_MS } from '../../src/xds/held-verdicts.ts';
import { SlotStory } from './push/slot-story.ts';
import { NODE, setUp, withSlots } from './recorder-story.ts';

/** A connected node that accepted a@1, and has a@2 pushed and unanswered; `verdicts` takes what was written of places. */
function setUpPush() {
  const parts = setUp();
  const { recorder, take, attach } = parts;
  const process = attach();
  recorder.connected(NODE, process, 10);
  const story = SlotStory.accepted('a@1');
  const look = (now: number): void => {
    withSlots(process, { x: story });
    recorder.slots(process, now);
  };
  look(20);
  take();
  story.want('a@2', 'a@1').push();
  look(30);
  const verdicts = (): NodeVerdict[] =>
    take().flatMap(({ kind, value }) => (kind === 'NodeVerdict' ? [value as NodeVerdict] : []));
  const states = (): string[] => verdicts().map(({ state }) => state);
  return { ...parts, process, story, look, verdicts, states };
}

test('a push that is answered soon is one record: the answer', () => {
  const { clock, story, look, states, recorder } = setUpPush();
  assert.equal(recorder.verdict(NODE.id, 'x')?.state, 'sent', 'known at once, only not written');
  clock.run(HOLD_MS - 1);
  assert.deepEqual(states(), []);
  story.ack();
  look(50);
  assert.deepEqual(states(), ['accepted']);
  clock.run(10 * HOLD_MS);
  assert.deepEqual(states(), []);
});

test('a push that is not answered soon is on record, since it went out, and its answer after it', () => {
  const { clock, story, look, verdicts, states } = setUpPush();
  clock.run(HOLD_MS);
  const [sent, ...more] = verdicts();
  assert.deepEqual([sent?.state, sent?.since, more.length], ['sent', 30, 0]);
  assert.equal(sent?.tried?.plugins[0]?.revision, 2);
  story.ack();
  look(400);
  assert.deepEqual(states(), ['accepted']);
});

test('each unanswered push waits for its own time', () => {
  const { clock, recorder, registry, states, process } = setUpPush();
  clock.run(HOLD_MS - 50);
  const other = registry.attach({ ...NODE, id: 'edge-2' }, true, () => 'p-other');
  recorder.connected({ ...NODE, id: 'edge-2' }, other, clock.now());
  withSlots(other, { x: new SlotStory().subscribe().want('a@1') });
  recorder.slots(other, clock.now());
  clock.run(50);
  assert.deepEqual(states(), ['sent']);
  assert.equal(process.nodeId, NODE.id);
  clock.run(HOLD_MS - 51);
  assert.deepEqual(states(), []);
  clock.run(1);
  assert.deepEqual(states(), ['sent']);
});

test('a node that goes with a push out has it on record at once, and what comes after it', () => {
  const { clock, recorder, process, story, look, states } = setUpPush();
  recorder.disconnected(process, 40);
  assert.deepEqual(states(), ['sent']);
  story.event({ type: 'unsubscribed' });
  look(41);
  assert.deepEqual(states(), ['sent'], 'nothing is awaited of a node that is gone');
  clock.run(HOLD_MS);
  assert.deepEqual(states(), []);
});

test('a refusal is on record at once, and the push after it', () => {
  const { clock, story, look, states } = setUpPush();
  story.refuse('a');
  look(50);
  assert.deepEqual(states(), ['refused']);
  story.want('a@3', 'a@1').push();
  look(60);
  assert.deepEqual(states(), ['sent']);
  clock.run(HOLD_MS);
  assert.deepEqual(states(), []);
});

test('a node that is to go back to what it accepted is known at once to have something else out', () => {
  const { clock, story, look, verdicts, states } = setUpPush();
  story.want('a@1');
  look(40);
  const [verdict, ...more] = verdicts();
  assert.deepEqual([verdict?.tried?.acked, verdict?.tried?.plugins[0]?.revision, more.length], [false, 2, 0]);
  clock.run(HOLD_MS);
  assert.deepEqual(states(), []);
});

test('what is out when we stop is written, and what comes after it at once', () => {
  const { clock, recorder, story, look, states } = setUpPush();
  recorder.stop();
  assert.deepEqual(states(), ['sent']);
  story.ack();
  look(50);
  story.want('a@3').push();
  look(60);
  assert.deepEqual(states(), ['accepted', 'sent']);
  clock.run(HOLD_MS);
  assert.deepEqual(states(), []);
});

test('a node that is forgotten with a push out is not written again', () => {
  const { clock, recorder, take } = setUpPush();
  recorder.forget(NODE.id);
  take();
  clock.run(HOLD_MS);
  assert.deepEqual(take(), []);
});
