/**
 * `npm run bench [-- --streams N[,N…]] [-- --form delta|sotw] [-- --only ROW] [-- --fetch] [-- --runs N] [-- --json] [-- --transports]`:
 * Attaché beside go-control-plane, under the same driver, in turn; with `--fetch` Attaché alone, and modules that every Envoy fetches; with `--transports` also on an HTTP/2 transport of its
 * own, and grpc-js with nothing behind it. One core for the server, one for the driver. See README.md.
 */
import { parseArgs } from 'node:util';
import { readMachine } from './machine.ts';
import { onceMore } from './once-more.ts';
import { type UnpackedPackage, unpackPackage } from './unpacked-package.ts';
import { startAttache } from './xds/attache-side.ts';
import { startBareGrpc } from './xds/bare-grpc-side.ts';
import { buildPeers, type Peers } from './xds/build-peers.ts';
import { type Figures, toFigures } from './xds/figures.ts';
import { startGcp } from './xds/gcp-side.ts';
import { playFleet, playFleetInNode } from './xds/load.ts';
import { type Choice, type Row, runsOf, toRows } from './xds/plan.ts';
import { formatReport, type Measured, toReport } from './xds/report.ts';
import type { Side, SideName } from './xds/side.ts';

/** A fleet connects at once here, and is not one client among others. */
const FLAGS = ['connections=20000', 'new-streams-per-second=100000'].flatMap(limit => ['--xds-limit', limit]);
const NO_GO = 'there is no Go (https://go.dev/dl, 1.25 or later) to build go-control-plane and its driver';

async function main(): Promise<number> {
  const { rows, runs, json, transports } = readArguments();
  const machine = await readMachine();
  const peers = await buildPeers();
  if (peers === undefined) console.error(`${NO_GO}: Attaché alone, under a driver in Node`);
  let unpacked: UnpackedPackage | undefined;
  try {
    unpacked = await unpackPackage();
    const { program } = unpacked;
    const measured: Measured[] = [];
    for (const row of rows)
      measured.push({ row, runs: await measureRow(row, runs, { peers, program }, transports) });
    const report = toReport(measured, { machine, ...(peers === undefined ? { alone: NO_GO } : {}) });
    console.log(json ? JSON.stringify(report, null, 2) : formatReport(report));
    return 0;
  } finally {
    await unpacked?.remove();
    await peers?.remove();
  }
}

function readArguments(): { rows: readonly Row[]; runs: number; json: boolean; transports: boolean } {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string' },
      form: { type: 'string' },
      only: { type: 'string', default: '' },
      fetch: { type: 'boolean', default: false },
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      transports: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const sizes = values.streams?.split(',').map(Number);
  if (![runs, ...(sizes ?? [])].every(value => Number.isInteger(value) && value > 0))
    throw new RangeError('--streams N[,N…] --runs N: expected whole numbers');
  const rows = toRows({ sizes, form: toForm(values.form), fetch: values.fetch }).filter(row =>
    row.id.includes(values.only),
  );
  if (rows.length === 0) throw new RangeError(`--only ${values.only}: no row is called so`);
  return { rows, runs, json: values.json, transports: values.transports };
}

function toForm(text: string | undefined): Choice['form'] {
  if (text === undefined || text === 'delta' || text === 'sotw') return text;
  throw new RangeError(`--form ${text}: expected delta or sotw`);
}

/** The sides in turn, each with a server of its own every time. */
async function measureRow(
  row: Row,
  runs: number,
  { peers, program }: { readonly peers: Peers | undefined; readonly program: string },
  transports: boolean,
): Promise<Measured['runs']> {
  const coldModules = row.scenario.fetches ? row.scenario.pushes : 0;
  const starts: Partial<Record<SideName, () => Promise<Side>>> = {
    attache: () => startAttache({ flags: FLAGS, coldModules, program }),
    ...(transports
      ? {
          'attache-http2': () => startAttache({ flags: FLAGS, name: 'attache-http2' }),
          'bare-grpc-js': startBareGrpc,
        }
      : {}),
    ...(peers === undefined ? {} : { 'go-control-plane': () => startGcp(peers.server) }),
  };
  const figures: Partial<Record<SideName, Figures[]>> = {};
  for (let run = 1; run <= runs; run++)
    for (const [name, start] of Object.entries(starts) as [SideName, () => Promise<Side>][]) {
      if (run > runsOf(name, row, runs)) continue;
      const one = await onceMore(row.title, async () => measure(row, await start(), peers));
      figures[name] = [...(figures[name] ?? []), one];
      const { cpuUs, p99Ms, lost } = one;
      const said = `${cpuUs.toFixed(0)} µs, p99 ${p99Ms.toFixed(0)} ms${lost > 0 ? `, ${lost} LOST` : ''}`;
      console.error(`${row.title}, run ${run} of ${runs}, ${name}: ${said}`);
    }
  return figures;
}

async function measure({ scenario }: Row, side: Side, peers: Peers | undefined): Promise<Figures> {
  try {
    const report =
      peers === undefined ? playFleetInNode(side, scenario) : playFleet(peers.load, side, scenario);
    return toFigures(await report, scenario.streams);
  } finally {
    await side.stop();
  }
}

process.exitCode = await main();
