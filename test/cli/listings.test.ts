import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNode, describePlugin } from '../../src/cli/describe-text.ts';
import { MODULES, NODES, PLUGINS, RESOURCES, toTable } from '../../src/cli/listings.ts';
import { formatTable } from '../../src/cli/table.ts';
import { AT, nodeView, onNode, pluginView, REFUSAL } from './views.ts';

const NOW = Date.parse(AT) + 72_000;

test('the headings are those of the user surface', () => {
  const headings = (listing: { columns: readonly { heading: string; wide?: true }[] }) =>
    listing.columns
      .filter(column => !column.wide)
      .map(column => column.heading)
      .join(', ');
  assert.equal(headings(NODES), 'NAME, GROUP, ZONE, ENVOY, STATE, PLUGINS, LAST ACK, AGE');
  assert.equal(headings(PLUGINS), 'NAMESPACE, NAME, REVISION, PHASE, NODES, MODULE, AGE');
  assert.equal(headings(RESOURCES), 'TYPE, NAME, NODES, REFUSED, AGE');
  assert.equal(headings(MODULES), 'DIGEST, SIZE, SIGNED, NODES, FROM');
});

test('a row of nodes and of plugins', () => {
  assert.equal(
    formatTable(toTable(NODES, [nodeView()], NOW, false)),
    'NAME    GROUP  ZONE  ENVOY   STATE      PLUGINS  LAST ACK  AGE\n' +
      'demo-1  –      b     1.40.0  Connected  1/1      1m        1m',
  );
  const [row] = toTable(PLUGINS, [pluginView()], NOW, false).rows;
  assert.deepEqual(row, ['default', 'auth', '1', 'Succeeded', '1/1', '9f2c4be01d77', '1m']);
});

test('a node names its worst plugin state where it is not the good one', () => {
  const [row] = toTable(NODES, [nodeView({ worst: 'Refused' })], NOW, false).rows;
  assert.equal(row?.[4], 'Connected, Refused');
});

test('wide shows more, name shows one word', () => {
  assert.ok(toTable(NODES, [], NOW, true).headings.includes('LABELS'));
  assert.equal(PLUGINS.name(pluginView()), 'plugin/default/auth');
  assert.equal(NODES.name(nodeView()), 'node/demo-1');
});

test("a node's description quotes Envoy and says where the cause is", () => {
  const refused = onNode({
    refusedRevision: 2,
    refusedSince: AT,
    message: REFUSAL.message,
    cause: REFUSAL.cause,
  });
  const text = describeNode(nodeView({ plugins: [refused] }), NOW);
  assert.match(
    text,
    /demo-1 {3}Connected since 1m {3}Envoy 1\.40\.0 {3}zone b {3}namespace default {3}labels role=edge/,
  );
  assert.match(text, /default\/auth {2}1 +1 +Accepted +1m +revision 2 refused 1m ago: "Unable to create/);
  assert.match(text, /the cause for default\/auth: that node's Envoy log/);
});

test('a node without a place says so', () => {
  const none = onNode({ state: 'NotTargeted', reason: 'NoPlace', detail: 'no listener', revision: null });
  const text = describeNode(nodeView({ places: [], plugins: [none] }), NOW);
  assert.match(text, /NotTargeted \(NoPlace\)/);
  assert.match(text, /places for plugins: none/);
});

test("a plugin's description: phase, trouble, nodes, history", () => {
  const view = {
    ...pluginView({ refusal: REFUSAL, phase: 'RolledBack' }),
    onNodes: [onNode({ lastKnown: true })],
  };
  const revision = {
    kind: 'Revision',
    plugin: 'default/auth',
    number: 2,
    contentHash: 'c',
    config: 'a41b09',
    result: 'refused',
    module: view.status.module ?? assert.fail(),
    spec: {},
    message: null,
    createdAt: AT,
  } as const;
  const text = describePlugin(view, [revision], NOW);
  assert.match(text, /default\/auth {3}RolledBack {3}revision 1 {3}since 1m/);
  assert.match(text, /refused {2}revision 2 by demo-1 1m ago: "Unable/);
  assert.match(text, /Accepted, last known/);
  assert.match(text, /2 +9f2c4be01d77 +a41b09 +refused/);
});
