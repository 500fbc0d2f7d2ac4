/**
 * `npm run bench [-- --streams N] [-- --runs N] [-- --form delta|sotw] [-- --json]`: Attaché beside go-control-plane,
 * under the same driver, in turn. One core for the server, one for the driver. See README.md.
 */
import { parseArgs } from 'node:util';
import { startAttache } from './xds/attache-side.ts';
import { buildPeers, type Peers } from './xds/build-peers.ts';
import { type Figures, toFigures } from './xds/figures.ts';
import { startGcp } from './xds/gcp-side.ts';
import { playFleet } from './xds/load.ts';
import { type Comparison, formatReport, toReport } from './xds/report.ts';
import type { Scenario, Side } from './xds/side.ts';

const SIZES = [1_000, 5_000, 10_000];
const PUSHES = 6;
/** A fleet connects at once here, and is not one client among others. */
const FLAGS = ['connections=20000', 'new-streams-per-second=100000'].flatMap(limit => ['--xds-limit', limit]);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string' },
      form: { type: 'string' },
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const sizes = values.streams === undefined ? SIZES : values.streams.split(',').map(Number);
  const forms = values.form === undefined ? (['delta', 'sotw'] as const) : [toForm(values.form)];
  if (!Number.isInteger(runs) || runs < 1 || sizes.some(size => !Number.isInteger(size) || size < 1))
    throw new RangeError('--streams N[,N…] --runs N: expected whole numbers');
  const peers = await buildPeers();
  if (peers === undefined) {
    console.error(
      'there is no Go: neither the driver nor go-control-plane can be built. Go 1.25 or later: https://go.dev/dl',
    );
    return 1;
  }
  try {
    const comparisons: Comparison[] = [];
    for (const streams of sizes)
      for (const form of forms) {
        const scenario = { streams, form, pushes: PUSHES, repeatedExtensions: 0, refusing: 0 };
        comparisons.push({ scenario, ...(await compare(peers, scenario, runs)) });
        console.error(`${streams} streams, ${form}: done`);
      }
    const report = toReport(comparisons);
    console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(comparisons));
    return 0;
  } finally {
    await peers.remove();
  }
}

function toForm(text: string): Scenario['form'] {
  if (text === 'delta' || text === 'sotw') return text;
  throw new RangeError(`--form ${text}: expected delta or sotw`);
}

/** In turn, each with a server of its own. */
async function compare(peers: Peers, scenario: Scenario, runs: number) {
  const attache: Figures[] = [];
  const goControlPlane: Figures[] = [];
  for (let run = 0; run < runs; run++) {
    goControlPlane.push(await measure(peers, scenario, await startGcp(peers.server)));
    attache.push(await measure(peers, scenario, await startAttache(FLAGS)));
  }
  return { attache, goControlPlane };
}

async function measure(peers: Peers, scenario: Scenario, side: Side): Promise<Figures> {
  try {
    return toFigures(await playFleet(peers.load, side, scenario), scenario.streams);
  } finally {
    await side.stop();
  }
}

process.exitCode = await main();
