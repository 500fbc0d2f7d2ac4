/** Item 45 of the xDS acceptance list: the two forms tell the same, whatever changes and is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { seeded } from '../xds/model/random-world.ts';
import { XdsConnection, type XdsStream } from './xds-client.ts';
import { setUpForm } from './xds-forms.ts';
import { CDS, ECDS, EDS, LDS, RDS, type World } from './xds-scene.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const SEEDS = [1, 2, 3, 4, 5, 6];
const ROUNDS = 20;
/** A newcomer each round. */
const NO_HURRY = { 'new-streams-per-second': 10_000, 'requests-per-second': 10_000 };
/** Of one node id each: an id that comes twice would be two Envoys. */
const NODES = ['incremental', 'world', 'newcomer'];

for (const seed of SEEDS)
  test(`45. delta answers applied in sequence equal, at every quiet point, what the state of the world says at once (seed ${seed})`, async t => {
    const random = seeded(seed);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    const some = (): string[] => NAMES.filter(() => random() < 0.6);
    const { server, connect, set } = await setUpForm(t, 'delta', undefined, { limits: NO_HURRY });
    const delta = connect().open('incremental');
    const sotwConnection = stopAfter(t, new XdsConnection(server.address.port, 'sotw'));
    const sotw = sotwConnection.open('world');
    for (const node of NODES) set({}, node);
    const story: string[] = [];
    const asked = new Map<string, Set<string>>();
    let exists = new Map<string, string | undefined>();

    const change = (): void => {
      const text = (): string =>
        some()
          .map(name => `${name}@${1 + Math.floor(random() * 3)}`)
          .join(' ');
      const slots = Object.fromEntries(some().map(name => [name, `p@${1 + Math.floor(random() * 3)}`]));
      const world: World = { clusters: text(), endpoints: text(), listeners: text(), routes: text(), slots };
      story.push(JSON.stringify(world));
      for (const node of NODES) set(world, node);
      exists = new Map([
        [CDS, world.clusters],
        [EDS, world.endpoints],
        [LDS, world.listeners],
        [RDS, world.routes],
        [
          ECDS,
          Object.entries(slots)
            .map(([name, content]) => `${name}@verdict_${content}`)
            .join(' '),
        ],
      ]);
    };
    const rename = (): void => {
      const typeUrl = pick([CDS, LDS, EDS, RDS, ECDS]);
      const known = asked.get(typeUrl) ?? new Set<string>();
      const canAll = typeUrl !== ECDS;
      const names = canAll && random() < 0.3 ? ['*'] : some();
      const drop = [...known].filter(() => random() < 0.4).filter(name => !names.includes(name));
      // A first request without names means everything of some types and nothing of others.
      if (names.length + drop.length === 0) return;
      story.push(`${typeUrl.split('.').at(-1)} +${names} -${drop}`);
      for (const name of drop) known.delete(name);
      for (const name of names) known.add(name);
      asked.set(typeUrl, known);
      for (const stream of [delta, sotw]) stream.say(typeUrl, { ask: names, drop });
    };

    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < 3; i++) pick([change, rename])();
      const newcomer = new XdsConnection(server.address.port, 'sotw');
      const all = newcomer.open('newcomer');
      for (const [typeUrl, names] of asked) if (names.size > 0) all.ask(typeUrl, [...names]);
      await until(
        async () => {
          await Promise.all([delta, sotw, all].map(acceptAll));
          for (const [typeUrl, names] of asked)
            compare(typeUrl, names, { delta, sotw, all }, exists.get(typeUrl) ?? '');
          return true;
        },
        { what: `equal clients, seed ${seed}:\n${story.join('\n')}`, deadlineMs: 5_000, everyMs: 2 },
      );
      await newcomer.stop();
    }
  });

interface Clients {
  readonly delta: XdsStream;
  readonly sotw: XdsStream;
  /** Asked for all that the others ask for, at once. */
  readonly all: XdsStream;
}

function compare(
  typeUrl: string,
  names: ReadonlySet<string>,
  { delta, sotw, all }: Clients,
  exists: string,
): void {
  const there = new Map(
    exists
      .split(' ')
      .filter(Boolean)
      .map(it => [it.split('@')[0] ?? '', it.replace('_', ' ')]),
  );
  const passThrough = [...names].filter(name => typeUrl === ECDS && !there.has(name));
  const due = [
    ...[...there].filter(([name]) => names.has('*') || names.has(name)).map(([, it]) => it),
    ...passThrough.map(name => `${name}@verdict pass-through`),
  ];
  const covered = (stream: XdsStream): string[] =>
    [...stream.held(typeUrl)]
      .filter(([name]) => names.has('*') || names.has(name))
      .map(([name, version]) => `${name}@${version}`)
      .sort();
  assert.deepEqual(covered(all), due.sort(), typeUrl);
  assert.deepEqual(covered(delta), covered(all), typeUrl);
  // Of other types the state of the world does not tell what is gone.
  const told = new Set(covered(sotw));
  if (typeUrl === CDS || typeUrl === LDS) assert.deepEqual([...told], covered(all), typeUrl);
  else for (const it of covered(all)) assert.ok(told.has(it), `${it} of ${typeUrl}`);
}

async function acceptAll(stream: XdsStream): Promise<void> {
  while (stream.responses.length > 0) await stream.accept();
}
