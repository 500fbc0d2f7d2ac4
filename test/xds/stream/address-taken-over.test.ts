import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EncodedResource } from '../../../src/model/resource.ts';
import { LISTENER_TYPE } from '../../../src/model/type-url.ts';
import {
  answer,
  changeNames,
  diff,
  newSubscription,
  type Subscription,
  sent,
} from '../../../src/xds/stream/subscription.ts';

const TAKEN = "error adding listener: 'young' has duplicate address '0.0.0.0:80' as existing listener 'old'";

function listeners(...names: readonly string[]): ReadonlyMap<string, EncodedResource> {
  return new Map(
    names.map(name => [name, { typeUrl: LISTENER_TYPE, name, version: '1', any: new Uint8Array() }]),
  );
}

/** After `old` was accepted and `young`, which comes in its stead, was refused with this text. */
function refuse(text: string): Subscription {
  const start = changeNames(newSubscription('changes'), { subscribe: ['*'], unsubscribe: [] });
  const push = (state: Subscription, names: readonly string[], nack: string | undefined) => {
    const { resources } = diff(state, listeners(...names), () => true);
    return answer(sent(state, { resources, removed: [] }, 'n', 0), 'n', nack);
  };
  return push(push(start, ['old'], undefined), ['young'], text);
}

const due = (state: Subscription) => {
  const { resources, removed } = diff(state, listeners('young'), () => true);
  return [resources.map(({ name }) => name), removed];
};

test('a listener that was refused over the address of one that goes is sent again when that is gone', () => {
  const refused = refuse(TAKEN);
  assert.deepEqual(due(refused), [[], ['old']]);
  const gone = answer(sent(refused, { resources: [], removed: ['old'] }, 'm', 0), 'm', undefined);
  assert.deepEqual(due(gone), [['young'], []]);
});

test('one that was refused for anything else is not', () => {
  const refused = refuse("error adding listener 'young': no filter chains");
  const gone = answer(sent(refused, { resources: [], removed: ['old'] }, 'm', 0), 'm', undefined);
  assert.deepEqual(due(gone), [[], []]);
});
