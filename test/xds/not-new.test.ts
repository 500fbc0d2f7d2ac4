/** Envoys with a stream for each place (another control plane has their ADS): which of them is surely new. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { ENDPOINT_TYPE, EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { Client, SLOT, setUp } from './ads-story.ts';
import { readSlot, snapshotOf } from './model/content.ts';
import { refusalOf, toPart } from './push/slot-story.ts';

const OTHER = 'attache.last/l1';

/** As `attache bootstrap` writes it. */
const NODE = new ProtoRegistry().encode('envoy.config.core.v3.Node', {
  id: 'edge-1',
  metadata: { attache: { unanswered: 'deny' } },
});

/** A server, and the places that Envoys of one name ask it for: one plugin in SLOT, none in OTHER. */
class Story {
  readonly server: Awaited<ReturnType<typeof setUp>>;

  private constructor(server: Story['server']) {
    this.server = server;
    this.want('a@1');
  }

  want(plugin: string): void {
    const slots = new Map([[SLOT, { wanted: [toPart(plugin)], good: [] }]]);
    const listeners = new Map([['l1', { version: '1', slots: [SLOT, OTHER] }]]);
    this.server.snapshots.set('edge-1', snapshotOf({ slots, listeners }));
  }

  static async start(): Promise<Story> {
    return new Story(await setUp());
  }

  /** Another server on what this one wrote; the streams of this one have gone. */
  async startAgain(): Promise<Story> {
    await Promise.all(this.server.writes);
    return new Story(await setUp({ store: this.server.store }));
  }

  /** `peer`: the connection that it comes over. */
  ask(slot: string, { peer, version }: { peer?: string; version?: string } = {}): Client {
    const versions: Record<string, string> = version === undefined ? {} : { [slot]: version };
    return this.#open(EXTENSION_CONFIG_TYPE, peer).ask(EXTENSION_CONFIG_TYPE, [slot], versions);
  }

  askForEndpoints(peer?: string): Client {
    return this.#open(ENDPOINT_TYPE, peer).ask(ENDPOINT_TYPE, ['e']);
  }

  #open(typeUrl: string, peer: string | undefined): Client {
    return new Client(this.server.ads, NODE, { typeUrl, ...(peer === undefined ? {} : { peer }) });
  }

  /** What came over a stream, once all is durable: `warming a@1`. */
  take(client: Client): readonly string[] {
    this.server.flush();
    return client.take().flatMap(({ resources }) =>
      resources.map(({ any }) => {
        const { variant, parts } = readSlot(any);
        return [variant, ...parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`)].join(' ');
      }),
    );
  }

  /** ACKs all that comes; gives the version that it has then. */
  accept(client: Client): string {
    this.server.flush();
    let version = '';
    for (let sent = client.take(); sent.length > 0; sent = client.take())
      for (const response of sent) {
        version = response.resources[0]?.version ?? version;
        client.answer(response);
      }
    return version;
  }
}

/** An Envoy that accepted what was to stand in both places. */
function acceptBoth(story: Story, peer?: string): readonly Client[] {
  const clients = [SLOT, OTHER].map(slot => story.ask(slot, peer === undefined ? {} : { peer }));
  for (const client of [...clients, ...clients]) story.accept(client);
  story.server.clock.run(2_000);
  for (const client of clients) story.accept(client);
  return clients;
}

function close(clients: readonly Client[]): void {
  for (const { stream } of clients) stream.close();
}

test('5.1. a place without a version may warm where its Envoy is the first of its name', async () => {
  const story = await Story.start();
  story.askForEndpoints();
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. not where streams come back of an Envoy that may have refused it', async () => {
  const story = await Story.start();
  story.askForEndpoints().stream.close();
  story.askForEndpoints();
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('5.1. it may where the Envoy before it had accepted the place: that one would bring its version', async () => {
  const story = await Story.start();
  close(acceptBoth(story));
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. so it is where that one had ACKed the warming form only', async () => {
  const story = await Story.start();
  const place = story.ask(SLOT);
  story.server.flush();
  const [push] = place.take();
  place.answer(push ?? assert.fail()).stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. so it is after as many Envoys that went before anything was pushed to them', async () => {
  const story = await Story.start();
  close(acceptBoth(story));
  for (let i = 0; i < 3; i++) story.ask(SLOT).stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. so it is where the first of its name went before anything was pushed to it', async () => {
  const story = await Story.start();
  story.ask(SLOT).stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. not where an Envoy between them did not answer', async () => {
  const story = await Story.start();
  close(acceptBoth(story));
  const between = story.ask(SLOT);
  assert.deepEqual(story.take(between), ['warming a@1']);
  between.stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('5.1. so it is after a restart of the server', async () => {
  const before = await Story.start();
  close(acceptBoth(before));
  const story = await before.startAgain();
  assert.deepEqual(story.take(story.ask(SLOT)), ['warming a@1']);
});

test('5.1. not where the Envoy before it did not answer the last push', async () => {
  const story = await Story.start();
  const place = story.ask(SLOT);
  assert.deepEqual(story.take(place), ['warming a@1']);
  place.stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('5.1. not where the Envoy before it refused it', async () => {
  const story = await Story.start();
  story.askForEndpoints().stream.close();
  const place = story.ask(SLOT);
  story.server.flush();
  const [push] = place.take();
  place.answer(push ?? assert.fail(), refusalOf('a')).stream.close();
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('5.1. not where another place brought a version', async () => {
  const story = await Story.start();
  const [place, other] = acceptBoth(story);
  assert.ok(place && other);
  const version = 'aaaaaaaaaaaaaaaa.v';
  close([place, other]);
  story.askForEndpoints();
  story.accept(story.ask(OTHER, { version }));
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('an Envoy is served although the streams of the one before it are not known to be gone', async () => {
  const story = await Story.start();
  const before = acceptBoth(story, 'before');
  const after = acceptBoth(story, 'after');
  close(before);
  story.server.clock.run(20_000);
  story.want('a@2');
  assert.deepEqual(
    after.map(client => story.take(client)),
    [['verdict a@2'], []],
  );
});

test('5.1. not where several Envoys had the name at once: any of them may have come back', async () => {
  const story = await Story.start();
  const clients = [...acceptBoth(story, 'one'), ...acceptBoth(story, 'two')];
  close(clients);
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});

test('5.1. nor after a restart of the server', async () => {
  const before = await Story.start();
  close([...acceptBoth(before, 'one'), ...acceptBoth(before, 'two')]);
  const story = await before.startAgain();
  assert.deepEqual(story.take(story.ask(SLOT)), ['verdict a@1']);
});
