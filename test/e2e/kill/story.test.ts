import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellStory } from './story.ts';

test('a seed always tells the same story, and a longer one begins as the shorter', () => {
  assert.deepEqual(tellStory(1, 20), tellStory(1, 200).slice(0, 20));
  assert.notDeepEqual(tellStory(1, 20), tellStory(2, 20));
});

test('twenty kills of any seed hold every kind of victim and of moment', () => {
  for (let seed = 0; seed < 50; seed++) {
    const kills = tellStory(seed, 20).map(round => round.kill);
    const attache = kills.filter(kill => kill.victim === 'attache').map(kill => kill.moment.kind);
    const envoy = kills.filter(kill => kill.victim === 'envoy').map(kill => kill.moment.kind);
    assert.ok(['NACK', 'apply'].every(moment => attache.some(kind => kind === moment)));
    assert.ok(envoy.some(kind => kind === 'apply'));
    assert.ok(kills.some(({ moment }) => moment.kind === 'download'));
    assert.ok(kills.some(({ moment, victim }) => moment.kind === 'start of the Envoy' && victim === 'both'));
  }
});
