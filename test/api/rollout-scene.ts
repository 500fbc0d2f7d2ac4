import type { TestContext } from 'node:test';
import type { ApiServerOptions } from '../../src/api/server.ts';
import type { Clock } from '../../src/model/ports.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { makeSide, NOW } from '../model/records.ts';
import { startApi, systemClock } from './api-client.ts';
import { makeUpdate, NODES } from './rollout-records.ts';

/** The API at a time that stands still, an hour after its start, and rollouts for it to show. */

export const ID = 'default.auth.3';
const clock: Clock = { ...systemClock, now: () => NOW };

export async function start(t: TestContext, over: Partial<ApiServerOptions> = {}) {
  const store = createMemoryStore();
  const api = await startApi(store, { clock, startedAt: NOW - 3_600_000, ...over });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

/** Step 1 passed, step 2 soaks for 12 of 30 s. */
export function makeSoaking(): Rollout {
  const update = makeUpdate();
  return makeUpdate({
    startedAt: NOW - 60_000,
    step: 1,
    stage: 'Soaking',
    timer: { leftMs: 20_000, at: NOW - 2_000 },
    steps: [
      { ...update.steps[0], state: 'passed', startedAt: NOW - 60_000, endedAt: NOW - 29_000 } as never,
      { ...update.steps[1], state: 'active', startedAt: NOW - 29_000, appliedMs: 900 } as never,
      ...update.steps.slice(2),
    ],
  });
}

/** Its first four nodes. */
export const moved = { rollout: ID, side: makeSide(8), nodes: NODES.slice(0, 4), since: NOW - 60_000 };

// biome-ignore lint/suspicious/noExplicitAny: a test reads what the schema has already vouched for
export const pick = (items: readonly any[], ...keys: string[]) =>
  items.map(item => keys.map(key => item[key]));

/** Transcript B1: two of the nodes of step 2 refuse. */
export function makeRefusedRollout(): Rollout {
  const update = makeUpdate();
  const [first, second] = update.steps;
  return makeUpdate({
    phase: 'RolledBack',
    reason: 'Refused',
    note: 'auth 1.6.0, JIRA-812',
    startedAt: NOW - 130_000,
    endedAt: NOW - 1_000,
    since: NOW - 1_000,
    step: 1,
    steps: [
      { ...first, state: 'passed', startedAt: NOW - 130_000, endedAt: NOW - 10_000 } as never,
      { ...second, state: 'failed', startedAt: NOW - 10_000, endedAt: NOW - 8_800 } as never,
      ...update.steps.slice(2),
    ],
    failure: {
      kind: 'refusal',
      node: 'edge-01',
      nodes: ['edge-01', 'edge-03'],
      count: 2,
      text: 'Unable to create Wasm plugin default/auth',
      at: NOW - 8_800,
      step: 1,
      baking: false,
    },
    back: { touched: 4, confirmed: 4, startedAt: NOW - 8_800, tookMs: 2_900, missing: [] },
  });
}
