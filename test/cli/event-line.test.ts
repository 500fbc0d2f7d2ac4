import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventView } from '../../src/api/schema/event-view.ts';
import { formatEvent } from '../../src/cli/event-line.ts';
import { at, NOW } from './rollout-views.ts';

const EVENT: EventView = {
  kind: 'Event',
  id: '1',
  type: 'fleet.frozen',
  at: at('02:59:07'),
  plugin: null,
  node: null,
  message: `frozen by admin since ${at('02:59:07')}:\n "until nine"`,
};

test('an event is a line by the reader’s clock', () => {
  assert.equal(
    formatEvent(EVENT, NOW),
    '02:59:07  fleet.frozen            frozen by admin since 02:59:07: "until nine"',
  );
});

test('the plugin and the node that it is about are named where the sentence does not', () => {
  const event = { ...EVENT, type: 'node.refused', plugin: 'edge/auth', node: 'edge-1' };
  const line = (message: string) => formatEvent({ ...event, message }, NOW).slice(34);
  assert.equal(
    line('Unable to create Wasm plugin edge/auth'),
    'edge-1: Unable to create Wasm plugin edge/auth',
  );
  assert.equal(line('revision 3'), 'edge/auth: edge-1: revision 3');
  assert.equal(line('edge-1 has edge/auth'), 'edge-1 has edge/auth');
});
