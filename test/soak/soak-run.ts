import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../harness/wait.ts';
import { Chance } from '../simulation/chance.ts';
import { Content } from './content.ts';
import { type Memory, Plane } from './plane.ts';
import { SoakClient } from './soak-client.ts';
import { Tally } from './tally.ts';
import { startVandals } from './vandals.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  say(line: string): void;
}

/** 120 with one stream for all types, 20 with four: 200 streams. */
const ADS_CLIENTS = 120;
const SEPARATE_CLIENTS = 20;
/** So many nodes have two Envoys. */
const TWINS = 5;
/** Low enough to be hit all the time. */
const LIMITS = ['requests-per-second=20', 'first-request=5s', 'message-size=256KiB'];
const CALM_MS = 60_000;
/**
 * A peer that went without a word is found by pings: after 30 s one is sent, and waited for 60 s. A connection that the
 * client's library keeps although it was told to close it is closed once it was unused for 5 minutes.
 */
const GONE_MS = 420_000;
/**
 * What a heap may gain beyond its first calm: what is kept by count (events, hits) and noise. Buffers: 64 kB for each of
 * 200 streams whose client is slow at that moment.
 */
const MAY_GROW = { share: 0.1, bytes: 4_000_000, buffers: 16_000_000 };

/** Runs it, and answers with what went wrong: sentences. */
export async function soak({ seed, minutes, say }: SoakOptions): Promise<readonly string[]> {
  const chance = new Chance(seed);
  const tally = new Tally();
  const faults: string[] = [];
  const plane = await Plane.start(LIMITS);
  const content = new Content(plane);
  await content.changeAll();
  let isCalm = false;
  const clients = Array.from({ length: ADS_CLIENTS + SEPARATE_CLIENTS }, (_, i) => {
    const isTwin = i >= ADS_CLIENTS - TWINS && i < ADS_CLIENTS;
    return new SoakClient({
      address: plane.xds,
      node: `soak-${isTwin ? i - TWINS : i}`,
      form: i % 2 === 0 ? 'delta' : 'sotw',
      isAds: i < ADS_CLIENTS,
      chance,
      tally,
      isCalm: () => isCalm,
    });
  });
  const endVandals = startVandals(plane.xds, chance, tally);
  const begun = performance.now();
  const endAt = begun + minutes * 60_000;
  const roundMs = Math.min(90_000, (minutes * 60_000) / 5);
  const memories: Memory[] = [];
  let slowest = 0;
  while (performance.now() < endAt) {
    const calmAt = Math.min(endAt, performance.now() + roundMs);
    while (performance.now() < calmAt) {
      await delay(chance.integer(20, 300));
      if (chance.is(0.05)) await content.remove(chance.fraction());
      else await content.change(chance.fraction(), chance.fraction());
    }
    isCalm = true;
    await content.changeAll();
    const changed = performance.now();
    const missing = (): readonly string[] => clients.flatMap(client => client.missing(content.newest));
    try {
      await until(() => missing().length === 0, {
        what: 'the newest content',
        deadlineMs: CALM_MS,
        everyMs: 50,
      });
    } catch {
      const lost = missing();
      say(`${lost.length} updates lost, such as ${lost.slice(0, 10).join('; ')}`);
      faults.push(...lost.slice(0, 10));
      const loser = clients.find(client => client.missing(content.newest).length > 0);
      for (const line of loser?.story() ?? []) say(`  ${line}`);
      if (loser)
        say(
          `  the control plane says: ${JSON.stringify(await plane.must('GET', `/v1/nodes/${loser.node}`))}`,
        );
      break;
    }
    const tookMs = performance.now() - changed;
    slowest = Math.max(slowest, tookMs);
    const memory = await plane.memory();
    memories.push(memory);
    const streams = clients.reduce((sum, client) => sum + client.streams, 0);
    const minute = ((performance.now() - begun) / 60_000).toFixed(1);
    say(
      `${minute} min: ${streams} streams at the newest of ${content.changes} changes after ${(tookMs / 1000).toFixed(1)} s; ${describe(memory)}`,
    );
    isCalm = false;
  }
  isCalm = true;
  const [first, last] = [memories[0], memories.at(-1)];
  if (first === undefined || last === undefined) faults.push('no round came to its end');
  else if (last.heapUsed > first.heapUsed * (1 + MAY_GROW.share) + MAY_GROW.bytes)
    faults.push(`the heap grew from ${toMb(first.heapUsed)} to ${toMb(last.heapUsed)} MB`);
  else if (last.arrayBuffers > first.arrayBuffers + MAY_GROW.buffers)
    faults.push(`buffers grew from ${toMb(first.arrayBuffers)} to ${toMb(last.arrayBuffers)} MB`);
  faults.push(...(await end(plane, clients, endVandals, say)));
  for (const line of tally.lines()) say(line);
  if (first && last)
    say(
      `changes: ${content.changes}; slowest calm: ${(slowest / 1000).toFixed(1)} s; heap ${toMb(first.heapUsed)} -> ${toMb(last.heapUsed)} MB; buffers ${toMb(first.arrayBuffers)} -> ${toMb(last.arrayBuffers)} MB; ` +
        `rss ${toMb(first.rss)} -> ${toMb(last.rss)} MB; CPU ${(last.cpuMs / 1000).toFixed(0)} s`,
    );
  return faults;
}

async function end(
  plane: Plane,
  clients: readonly SoakClient[],
  endVandals: () => void,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const { items } = (await plane.must('GET', '/v1/limits')) as Limits;
  say(`limits hit: ${items.map(({ name, hits }) => `${name} ${hits}`).join(', ')}`);
  endVandals();
  for (const client of clients) client.leave();
  try {
    await until(async () => (await readUse(plane)).every(used => used === 0), {
      what: 'all to be gone',
      deadlineMs: GONE_MS,
    });
  } catch {
    say(listSockets(plane.xds));
    faults.push(`connections and streams still counted: ${(await readUse(plane)).join(', ')}`);
  }
  say(`when all had gone: ${describe(await plane.memory())}`);
  const { ending, left, errors } = await plane.stop();
  if (ending.code !== 0) faults.push(`the control plane did not end by itself: left open ${left.join(', ')}`);
  faults.push(...errors.map(error => `logged: ${error}`));
  say(
    `the control plane ended with ${ending.code ?? ending.signal}; open when it was stopped: ${left.join(', ') || 'nothing'}`,
  );
  return faults;
}

interface Limits {
  readonly items: readonly { readonly name: string; readonly used: number | null; readonly hits: number }[];
}

async function readUse(plane: Plane): Promise<readonly number[]> {
  const { items } = (await plane.must('GET', '/v1/limits')) as Limits;
  return items.flatMap(({ used }) => used ?? []);
}

/** Which connections there are, and of whom; nothing where `ss` is not installed. */
function listSockets(address: string): string {
  const { stdout } = spawnSync('ss', ['-tnp'], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter(line => line.includes(address))
    .join('\n');
}

function describe({ heapUsed, arrayBuffers, rss }: Memory): string {
  return `heap ${toMb(heapUsed)} MB, buffers ${toMb(arrayBuffers)} MB, rss ${toMb(rss)} MB`;
}

function toMb(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
