import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../../src/cli/cli-error.ts';
import type { CommandContext } from '../../src/cli/command-context.ts';
import type { ServerSentEvent } from '../../src/cli/event-stream.ts';
import { findKind } from '../../src/cli/kinds.ts';
import type { Output } from '../../src/cli/show-items.ts';
import { showList } from '../../src/cli/show-list.ts';
import { type ListMoment, watchList } from '../../src/cli/watch-list.ts';
import { AT, nodeView } from './views.ts';

/** What is printed for these moments: on a pipe, or with `screen` on a terminal of that size. */
async function show(
  moments: readonly ListMoment[],
  output: Output,
  screen?: { readonly columns: number; readonly rows: number },
): Promise<{ readonly out: string; readonly err: string }> {
  const text = { out: '', err: '' };
  const context = {
    out: (line: string) => {
      text.out += `${line}\n`;
    },
    err: (line: string) => {
      text.err += `${line}\n`;
    },
    ...(screen === undefined
      ? {}
      : {
          screen: {
            ...screen,
            hasColour: false,
            write: (raw: string) => {
              text.out += raw;
            },
          },
        }),
  } as unknown as CommandContext;
  async function* tell() {
    yield* moments;
  }
  await showList(findKind('nodes'), tell(), output, 'http://server', context);
  return text;
}

const connected = nodeView();
const gone = nodeView({ state: 'Disconnected', accepted: 0 });
const other = { ...nodeView(), metadata: { ...nodeView().metadata, name: 'a-longer-name' } };
const STORY: readonly ListMoment[] = [
  { kind: 'items', items: [connected] },
  { kind: 'items', items: [connected] },
  { kind: 'items', items: [gone] },
  { kind: 'lost' },
  { kind: 'connected' },
  { kind: 'items', items: [gone, other] },
  { kind: 'items', items: [other] },
];

test('a pipe gets the list once, and then a line per change, below its heading', async () => {
  const { out, err } = await show(STORY, 'table');
  const lines = out.trimEnd().split('\n');
  assert.deepEqual(
    lines.map(line => line.split(/ {2,}/)[0]),
    ['NAME', 'demo-1', 'demo-1', 'a-longer-name', 'node/demo-1 is gone'],
  );
  assert.match(lines[2] ?? '', /Disconnected/);
  assert.equal(lines[1]?.indexOf('1.40.0'), lines[0]?.indexOf('ENVOY'));
  assert.equal(lines[2]?.indexOf('1.40.0'), lines[0]?.indexOf('ENVOY'));
  assert.match(err, /lost http:\/\/server, trying again\n.*connected again/);
});

test('as data it is an object per change', async () => {
  const { out } = await show(STORY, 'json');
  const states = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).status.state);
  assert.deepEqual(states, ['Connected', 'Disconnected', 'Connected']);
  assert.equal((await show(STORY, 'name')).out, 'node/demo-1\nnode/a-longer-name\n');
});

test('a terminal sees one list, drawn over itself', async () => {
  const { out } = await show(STORY.slice(0, 3), 'table', { columns: 120, rows: 20 });
  assert.equal(out.split('NAME ').length - 1, 3);
  assert.equal(out.split('\x1b[2F').length - 1, 2, 'it goes up by two rows before each new drawing');
});

test('a list is read again after an event, and once more when the server is back', {
  timeout: 20_000,
}, async () => {
  const stop = new AbortController();
  const bookmark: ServerSentEvent = { id: '1', type: 'bookmark', data: '{}' };
  const client = {
    async *events(): AsyncGenerator<ServerSentEvent> {
      yield bookmark;
    },
  };
  let reads = 0;
  const read = async () => {
    reads += 1;
    if (reads === 2) throw new CliError('unreachable', 'gone');
    return [{ read: reads }];
  };
  const seen: string[] = [];
  for await (const moment of watchList(client, read, stop.signal)) {
    seen.push(moment.kind === 'items' ? JSON.stringify(moment.items) : moment.kind);
    if (seen.length === 4) stop.abort();
  }
  assert.deepEqual(seen, ['[{"read":1}]', 'lost', 'connected', '[{"read":3}]']);
});

test('a server that does not answer at first is an error, and so is a fault of another kind', async () => {
  const client = {
    async *events(): AsyncGenerator<ServerSentEvent> {
      yield { id: '1', type: 'bookmark', data: '{}' };
    },
  };
  const { signal } = new AbortController();
  const fails = async () => Promise.reject(new CliError('unreachable', 'gone'));
  await assert.rejects(watchList(client, fails, signal).next(), { code: 'unreachable' });
});

test('kinds are found by either number, and a misspelling has its nearest', () => {
  assert.equal(findKind('Node').plural, 'nodes');
  assert.equal(findKind('clusters').plural, 'clusters');
  assert.equal(findKind('pull-secret').plural, 'pullsecrets');
  assert.throws(() => findKind('plugns'), { code: 'bad-usage', hint: 'Did you mean plugins?' });
  assert.throws(() => findKind('zzz'), { code: 'bad-usage', hint: /^Known: plugins, nodes/ });
  const ages = findKind('nodes').toTable([connected], Date.parse(AT), false);
  assert.equal(ages.rows.length, 1);
});
