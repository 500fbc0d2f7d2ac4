/**
 * `npm run bench:clients [-- --streams N] [-- --runs N] [-- --form delta|sotw] [-- --json]`: what clients that are slow
 * or bad cost the others. The limits of `attache serve` are what they are by default. See README.md.
 */
import { parseArgs } from 'node:util';
import { BAD_CLIENTS, type BadClientsName } from './clients/bad-clients.ts';
import {
  type ClientsCase,
  type ClientsRun,
  formatClientsReport,
  toClientsReport,
} from './clients/clients-report.ts';
import { readMachine } from './machine.ts';
import { onceMore } from './once-more.ts';
import { type UnpackedPackage, unpackPackage } from './unpacked-package.ts';
import { startAttache } from './xds/attache-side.ts';
import { buildPeers } from './xds/build-peers.ts';
import { toFigures } from './xds/figures.ts';
import { playFleet } from './xds/load.ts';
import type { Scenario } from './xds/side.ts';

/** Streams that connect at a time: few enough that the limit on new streams lets each in. */
const PARALLEL = ['-parallel', '40'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '1000' },
      runs: { type: 'string', default: '5' },
      form: { type: 'string', default: 'delta' },
      json: { type: 'boolean', default: false },
    },
  });
  const form = values.form === 'sotw' ? 'sotw' : 'delta';
  const scenario = {
    streams: Number(values.streams),
    form,
    pushes: 5,
    repeatedExtensions: 0,
    refusing: 0,
    fetches: false,
  } as const;
  const machine = await readMachine();
  const peers = await buildPeers();
  if (peers === undefined) {
    console.error('the driver is built with Go, and there is none: https://go.dev/dl, 1.25 or later');
    return 1;
  }
  let unpacked: UnpackedPackage | undefined;
  try {
    unpacked = await unpackPackage();
    const { program } = unpacked;
    const names: readonly ClientsCase[] = ['alone', ...(Object.keys(BAD_CLIENTS) as BadClientsName[])];
    const runs = Object.fromEntries(names.map(name => [name, [] as ClientsRun[]])) as Record<
      ClientsCase,
      ClientsRun[]
    >;
    for (let run = 1; run <= Number(values.runs); run++)
      for (const name of names) {
        const one = await onceMore(name, () => play({ load: peers.load, program }, scenario, name));
        runs[name].push(one);
        console.error(`run ${run} of ${values.runs}, ${name}: p99 ${one.p99Ms.toFixed(0)} ms`);
      }
    const report = toClientsReport(runs, { machine, streams: scenario.streams, form });
    console.log(values.json ? JSON.stringify(report, null, 2) : formatClientsReport(report));
    return 0;
  } finally {
    await unpacked?.remove();
    await peers.remove();
  }
}

/** A server of its own, the bad clients, and the fleet while they go on. */
async function play(
  { load, program }: { readonly load: string; readonly program: string },
  scenario: Scenario,
  name: ClientsCase,
): Promise<ClientsRun> {
  const side = await startAttache({ program });
  try {
    const bad = name === 'alone' ? undefined : await BAD_CLIENTS[name].start(load, side, scenario.form);
    try {
      const { p99Ms, lastMs, rssMiB, lost } = toFigures(
        await playFleet(load, side, scenario, PARALLEL),
        scenario.streams,
      );
      return { p99Ms, lastMs, rssMiB, lost };
    } finally {
      await bad?.stop();
    }
  } finally {
    await side.stop();
  }
}

process.exitCode = await main();
