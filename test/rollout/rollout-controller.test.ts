import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAIN_START, followChain, isBroken } from '../../src/model/audit-chain.ts';
import type { MetricSample } from '../../src/model/node-metrics.ts';
import { movedBy } from '../../src/model/rollout-moves.ts';
import { OBSERVED } from '../../src/rollout/audit-decision.ts';
import { rolloutKey, verdictKey } from '../../src/store/record-kinds.ts';
import type { Operation } from '../../src/store/store.ts';
import { makeAssignment, makePresence, makeRevision, makeVerdict, PLACE, PLUGIN } from './records.ts';
import { type Stage, storeFull, withStage } from './stage.ts';

const NODES = ['edge-1', 'edge-2', 'edge-3', 'edge-4'];
const STEPS = { rollout: { steps: [{ nodes: 1, soak: '10s' }], bake: '20s' } };
const OTHER = 'default/other';

function isOfOther(operation: Operation): boolean {
  return operation.op !== 'append' && operation.kind === 'Rollout' && operation.key.startsWith(OTHER);
}

/** Four nodes that run revision 1. */
async function live(stage: Stage): Promise<void> {
  await stage.join(...NODES);
  await stage.start();
  await stage.apply(1, { rollout: { preset: 'all-at-once', bake: '0s' } });
  await stage.answer();
  assert.equal((await stage.latest())?.phase, 'Succeeded');
}

test('what the store holds at the start is decided before the start is over', async () => {
  await withStage(async stage => {
    await stage.join(...NODES);
    await stage.apply(1, STEPS);
    await stage.store.put('Assignment', 'default/gone', makeAssignment({ plugin: 'default/gone' }));
    await stage.start();
    assert.equal((await stage.latest())?.phase, 'Progressing');
    assert.equal(await stage.store.get('Assignment', 'default/gone'), undefined);
  });
});

test('a rollout goes through its steps by its own timers', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, STEPS);
    await stage.answer();
    await stage.pass(10_000);
    assert.equal((await stage.latest())?.step, 1);
    await stage.answer();
    assert.equal((await stage.latest())?.phase, 'Baking');
    await stage.pass(20_000);
    assert.equal((await stage.latest())?.phase, 'Succeeded');
    assert.equal((await stage.store.get('Assignment', PLUGIN))?.value.base.revision, 2);
  });
});

test('a decision is written in one transaction, with its events and its entries of the audit', async () => {
  await withStage(async stage => {
    await live(stage);
    stage.written.length = 0;
    await stage.apply(2, STEPS);
    assert.equal(stage.written.length, 1);
    const kinds = stage.written[0]?.map(({ kind }) => kind).toSorted();
    assert.deepEqual(kinds, [
      'Assignment',
      'AuditEntry',
      'AuditEntry',
      'Event',
      'Event',
      'Rollout',
      'RolloutNodes',
    ]);
    for (const operation of stage.written[0] ?? [])
      if (operation.op !== 'append' && operation.kind !== 'Event')
        assert.notEqual(operation.expected, undefined);
    await stage.answer(2);
    assert.deepEqual(
      stage.written[1]?.map(({ kind }) => kind).filter(kind => kind !== 'Event' && kind !== 'AuditEntry'),
      ['Assignment', 'Rollout', 'Quarantine'],
    );
  });
});

test('the audit tells every decision once, with whose change or verb led to it, and nothing that was only seen', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, { ...STEPS, by: 'ci' });
    await stage.answer();
    await stage.act('pause', { by: 'on-call' });
    await stage.act('resume', { by: 'on-call' });
    await stage.pass(10_000);
    await stage.answer(2);
    await stage.answer();
    assert.equal((await stage.latest())?.phase, 'RolledBack');
    const decided = (operations: readonly Operation[]) =>
      operations.flatMap(operation =>
        operation.op === 'put' && operation.kind === 'Event' ? [operation.value.type] : [],
      );
    for (const operations of stage.written) {
      const entries = operations.flatMap(operation => (operation.op === 'append' ? [operation.value] : []));
      assert.deepEqual(
        entries.map(({ action }) => action),
        decided(operations).filter(type => !OBSERVED.has(type)),
      );
      for (const { actor } of entries) assert.equal(actor, 'attache');
    }
    const entries = (await stage.store.list('AuditEntry')).records.map(({ value }) => value);
    const told = entries.map(({ action, behalf, subject }) => [action, behalf, subject].join(' '));
    for (const line of [
      'rollout.started ci default.auth.2',
      'rollout.paused on-call default.auth.2',
      'rollout.resumed on-call default.auth.2',
      'rollout.step.passed ci default.auth.2',
      'rollout.rolled-back ci default.auth.2',
    ])
      assert.ok(told.includes(line), `${line} in\n${told.join('\n')}`);
    assert.ok(!isBroken(followChain(CHAIN_START, entries)));
  });
});

test('what a person asks is taken in', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, STEPS);
    await stage.act('pause');
    assert.equal((await stage.latest())?.phase, 'Paused');
    assert.deepEqual((await stage.latest())?.intent, { id: 1, outcome: 'done' });
    await stage.act('abort');
    await stage.answer();
    assert.equal((await stage.latest())?.phase, 'Aborted');
    await stage.act('retry');
    assert.equal((await stage.latest())?.number, 3);
  });
});

test('a conflict is read again and decided on what the store holds now', async () => {
  await withStage(async stage => {
    await live(stage);
    let fired = false;
    stage.fault = async () => {
      if (fired) return;
      fired = true;
      const stored = await stage.store.get('Assignment', PLUGIN);
      if (stored !== undefined)
        await stage.store.put('Assignment', PLUGIN, { ...stored.value, createdAt: 77 });
    };
    await stage.apply(2, STEPS);
    assert.equal((await stage.latest())?.phase, 'Progressing');
    assert.equal((await stage.store.get('Assignment', PLUGIN))?.value.createdAt, 77);
  });
});

test('a plugin that cannot be written holds up no other, and is written later', async () => {
  await withStage(async stage => {
    await live(stage);
    stage.fault = operations => {
      if (operations.some(isOfOther)) storeFull();
    };
    await stage.apply(1, STEPS, OTHER);
    await stage.apply(2, STEPS);
    assert.equal(await stage.latest(OTHER), undefined);
    await stage.answer();
    await stage.pass(10_000);
    assert.equal((await stage.latest())?.step, 1);
    stage.fault = () => {};
    await stage.pass(5_000);
    assert.equal((await stage.latest(OTHER))?.phase, 'Progressing');
  });
});

test('a store that hangs on one plugin holds up no other', async () => {
  await withStage(async stage => {
    await live(stage);
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.fault = operations => (operations.some(isOfOther) ? promise : undefined);
    await stage.apply(1, STEPS, OTHER);
    await stage.apply(2, STEPS);
    assert.equal((await stage.latest())?.phase, 'Progressing');
    resolve();
    await stage.rest();
    assert.equal((await stage.latest(OTHER))?.phase, 'Progressing');
  });
});

test('a plugin whose rollout has ended costs nothing when nodes come, go and answer', async () => {
  await withStage(async stage => {
    await live(stage);
    stage.written.length = 0;
    await stage.store.put('NodePresence', 'edge-1', makePresence('edge-1', { connected: false }));
    await stage.store.put(
      'NodeVerdict',
      verdictKey('edge-2', PLACE),
      makeVerdict({ node: 'edge-2', accepted: 1 }),
    );
    await stage.pass(3_600_000);
    assert.deepEqual(stage.written, []);
  });
});

test('a sample of a moved node is judged within a moment', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, STEPS);
    await stage.answer();
    const nodes = (await stage.store.get('RolloutNodes', rolloutKey(PLUGIN, 2)))?.value;
    const [node = ''] = movedBy(nodes).keys();
    const sample = (reloads: number): MetricSample => ({
      at: stage.clock.now(),
      byClass: [0, 0, 0, 0, 0],
      latency: [],
      vmCreated: null,
      vmActive: null,
      workers: null,
      reloads: { [PLUGIN]: reloads },
      ecds: {},
      custom: {},
      listeners: {},
      memoryBytes: null,
    });
    const samples = [sample(0)];
    stage.metrics.set(node, { node, process: 'p1', samples });
    await stage.pass(1_000);
    stage.metrics.set(node, { node, process: 'p1', samples: [...samples, sample(1)] });
    await stage.pass(1_000);
    assert.equal((await stage.latest())?.failure?.kind, 'reload');
  });
});

test('after a stop nothing is written, and stop may be called twice', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.stop();
    stage.written.length = 0;
    await stage.apply(2, STEPS);
    await stage.pass(60_000);
    assert.deepEqual(stage.written, []);
    await stage.stop();
  });
});

test('rollouts beyond a hundred go with their nodes', async () => {
  await withStage(async stage => {
    await stage.join('edge-1');
    await stage.start();
    for (let n = 1; n <= 103; n += 1) {
      await stage.apply(n, { rollout: { preset: 'all-at-once', bake: '0s' } });
      await stage.answer();
    }
    assert.equal((await stage.rollouts()).length, 100);
    const nodes = (await stage.store.list('RolloutNodes', `${PLUGIN}/`)).records;
    assert.equal(nodes.length, 100);
    assert.equal(nodes[0]?.key, rolloutKey(PLUGIN, 4));
  });
});

test('a plugin that is gone takes all of its records with it', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, STEPS);
    await stage.answer(2);
    await stage.store.transaction([
      { op: 'delete', kind: 'PluginSpec', key: PLUGIN },
      { op: 'delete', kind: 'ModuleProgress', key: PLUGIN },
    ]);
    await stage.rest();
    for (const kind of ['Assignment', 'Rollout', 'RolloutNodes', 'Quarantine'] as const)
      assert.equal((await stage.store.list(kind)).records.length, 0, kind);
  });
});

/** A rollout from its document to its end, another that is refused, and an undo. */
async function story(stage: Stage): Promise<void> {
  await stage.apply(2, STEPS);
  await stage.answer();
  // A kill may cost what was not kept of the clock.
  await stage.pass(20_000);
  await stage.answer();
  await stage.pass(30_000);
  await stage.apply(3, STEPS);
  await stage.answer(3);
  await stage.answer();
  await stage.act('retry');
  await stage.answer();
  await stage.act('abort');
  await stage.answer();
}

async function toOutcome(stage: Stage): Promise<unknown> {
  const rollouts = (await stage.rollouts()).map(({ number, phase, to }) => [number, phase, to?.revision]);
  const assignment = (await stage.store.get('Assignment', PLUGIN))?.value;
  const quarantine = (await stage.store.list('Quarantine')).records.map(({ value }) => value.cause);
  return { rollouts, base: assignment?.base.revision, moved: assignment?.moved, quarantine };
}

test('a kill between any two writes changes nothing in the end', async () => {
  let expected: unknown;
  let writes = 0;
  await withStage(async stage => {
    await live(stage);
    stage.fault = () => {
      writes += 1;
    };
    await story(stage);
    expected = await toOutcome(stage);
  });
  assert.ok(writes > 10);
  for (let survives = 0; survives < writes; survives += 1)
    await withStage(async stage => {
      await live(stage);
      let left = survives;
      let restarted: Promise<void> | undefined;
      stage.fault = () => {
        left -= 1;
        if (left >= 0) return;
        // The process that would have written is gone; the next one finds what the store holds.
        stage.fault = () => {};
        restarted = Promise.resolve().then(async () => {
          void stage.stop();
          await stage.start();
        });
        storeFull();
      };
      const { rest } = stage;
      stage.rest = async () => {
        await rest.call(stage);
        await restarted;
        return rest.call(stage);
      };
      await story(stage);
      assert.deepEqual(await toOutcome(stage), expected, `killed before write ${survives + 1}`);
    });
});

test('a revision record that comes after its progress is enough to begin', async () => {
  await withStage(async stage => {
    await live(stage);
    const specRevision = await stage.store.put('PluginSpec', PLUGIN, {
      ...(await stage.store.get('PluginSpec', PLUGIN))!.value,
      message: 'new',
    });
    const progress = { plugin: PLUGIN, specRevision, state: 'ready', revision: 2, since: 1 } as const;
    await stage.store.put('ModuleProgress', PLUGIN, progress);
    await stage.rest();
    assert.equal((await stage.rollouts()).length, 1);
    await stage.store.put('Revision', rolloutKey(PLUGIN, 2), makeRevision(2));
    await stage.rest();
    assert.equal((await stage.rollouts()).length, 2);
  });
});

test('a restart of ours goes on at the same step, and waits for the nodes before it judges', async () => {
  await withStage(async stage => {
    await live(stage);
    await stage.apply(2, { rollout: { steps: [{ nodes: 1, soak: '1m' }], bake: '20s' } });
    await stage.answer();
    await stage.pass(30_000);
    await stage.stop();
    stage.clock.advance(3_600_000);
    await stage.start();
    const { records } = await stage.store.list('NodePresence');
    const set = (connected: boolean) =>
      Promise.all(
        records.map(({ key, value }) =>
          stage.store.put('NodePresence', key, { ...value, connected, since: stage.clock.now() }),
        ),
      );
    await set(false);
    await stage.pass(20_000);
    assert.equal((await stage.latest())?.phase, 'Progressing');
    assert.equal((await stage.latest())?.stage, 'Soaking');
    await set(true);
    await stage.pass(25_000);
    assert.equal((await stage.latest())?.step, 0);
    await stage.pass(11_000);
    assert.equal((await stage.latest())?.step, 1);
  });
});
