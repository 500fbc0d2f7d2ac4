/**
 * `npm run bench:effect [-- --runs N] [-- --json]`: from an apply until every one of six real Envoys answers with the new
 * behaviour, all at once, and whose time that was. See README.md.
 */
import type { TestContext } from 'node:test';
import { parseArgs } from 'node:util';
import { type FleetScene, SIX_NODES, startFleet } from '../test/e2e/rollouts/fleet-scene.ts';
import { buildStamp } from '../test/harness/fixture-modules.ts';
import { type Breakdown, toBreakdown } from './effect/breakdown.ts';
import { type CaseName, formatEffectReport, toEffectReport } from './effect/effect-report.ts';
import { playChange } from './effect/play-change.ts';
import { readMachine } from './machine.ts';

const ENVOY = '1.40.0';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '7' }, json: { type: 'boolean', default: false } },
  });
  const machine = await readMachine();
  const stops: (() => unknown)[] = [];
  // All that the actors of the tests need of a test is its end.
  const context = { after: (stop: () => unknown) => void stops.push(stop) } as unknown as TestContext;
  try {
    // When a push went out and when a download ended stands in its log at this level.
    const scene = await startFleet(context, { attache: { flags: ['--log-level', 'debug'] }, isDirect: true });
    const runs = await playAll(scene, Number(values.runs));
    const report = toEffectReport(runs, { machine, envoy: ENVOY, envoys: SIX_NODES.length });
    console.log(values.json ? JSON.stringify(report, null, 2) : formatEffectReport(report));
    return 0;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** In turn: a module that is new, and a configuration of it. The first of each is not counted. */
async function playAll(scene: FleetScene, runs: number): Promise<Record<CaseName, Breakdown[]>> {
  const done: Record<CaseName, Breakdown[]> = { configuration: [], module: [] };
  for (let run = 0; run <= runs; run++) {
    const seed = `effect-${run}-${process.pid}`;
    const module = await buildStamp(seed);
    const url = await scene.attache.offer(module);
    for (const [name, stamp] of [
      ['module', `m${run}`],
      ['configuration', `c${run}`],
    ] as const) {
      const breakdown = toBreakdown(await playChange(scene, { url, seed, stamp }, module.sha256));
      const { total, ours, envoys } = breakdown;
      const said = `${total.toFixed(0)} ms, ours ${ours.toFixed(0)}, Envoy's ${envoys.toFixed(0)}`;
      console.error(`run ${run} of ${runs}, ${name}: ${said}`);
      if (run > 0) done[name].push(breakdown);
    }
  }
  return done;
}

process.exitCode = await main();
