import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryRow } from '../../src/api/schema/rollout-view.ts';
import { describeNode, describePlugin, describeRollout } from '../../src/cli/describe-text.ts';
import { HISTORY, MODULES, NODES, PLUGINS, RESOURCES, ROLLOUTS, toTable } from '../../src/cli/listings.ts';
import { formatTable } from '../../src/cli/table.ts';
import { bakingView, refusedView } from './rollout-views.ts';
import { AT, nodeView, onNode, pluginView, REFUSAL } from './views.ts';

const NOW = Date.parse(AT) + 72_000;

test('the headings are those of the user surface', () => {
  const headings = (listing: { columns: readonly { heading: string; wide?: true }[] }) =>
    listing.columns
      .filter(column => !column.wide && column.heading !== '')
      .map(column => column.heading)
      .join(', ');
  assert.equal(headings(NODES), 'NAME, GROUP, ZONE, ENVOY, STATE, PLUGINS, LAST ACK, AGE');
  assert.equal(headings(PLUGINS), 'NAMESPACE, NAME, REVISION, PHASE, NODES, MODULE, AGE');
  assert.equal(headings(RESOURCES), 'TYPE, NAME, NODES, REFUSED, AGE');
  assert.equal(headings(ROLLOUTS), 'NAME, PLUGIN, FROM, TO, STEP, NODES, PHASE, AGE');
  assert.equal(headings(HISTORY), 'REVISION, DIGEST, CONFIG, RESULT, WHO, MESSAGE, WHEN');
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

test('C-B6: what a node that is gone ran is last known, never a fact', () => {
  const gone = nodeView({
    state: 'Disconnected',
    accepted: 0,
    desired: 2,
    plugins: [
      onNode({ plugin: 'edge/auth', revision: 6, lastKnown: true }),
      onNode({ plugin: 'edge/limit', revision: 3, lastKnown: true }),
      onNode({ plugin: 'edge/new', revision: null, lastKnown: true }),
    ],
  });
  const nothing = nodeView({ state: 'Disconnected', plugins: [], accepted: 0, desired: 0 });
  assert.equal(
    formatTable(toTable(NODES, [gone, nothing], NOW, false)),
    'NAME    GROUP  ZONE  ENVOY   STATE         PLUGINS  LAST ACK  AGE\n' +
      'demo-1  –      b     1.40.0  Disconnected  0/2      1m        1m   runs unknown; last: auth 6, limit 3\n' +
      'demo-1  –      b     1.40.0  Disconnected  0/0      1m        1m   runs unknown',
  );
});

test('rollouts: from, to, how far, and why it waits', () => {
  const paused = bakingView({ phase: 'Paused', reason: 'Human', step: 1, startedAt: AT });
  const removed = refusedView({
    to: { revision: null, digest: null, config: null, selector: null },
    startedAt: AT,
  });
  assert.equal(
    formatTable(toTable(ROLLOUTS, [paused, removed], NOW, false)),
    'NAME            PLUGIN        FROM  TO    STEP  NODES   PHASE          AGE\n' +
      'default.auth.1  default/auth  none  1     1/1   1/1     Paused, Human  1m\n' +
      'edge.auth.8     edge/auth     7     none  2/4   30/300  RolledBack     1m',
  );
  const unknown = bakingView({ to: null, step: null, steps: [], phase: 'Validating' });
  assert.deepEqual(toTable(ROLLOUTS, [unknown], NOW, false).rows[0]?.slice(3, 5), ['–', '–']);
});

function historyRow(fields: Partial<HistoryRow> = {}): HistoryRow {
  return {
    kind: 'RolloutSummary',
    rollout: 'edge.auth.10',
    number: 10,
    change: 'update',
    title: '7 → 10',
    revision: 10,
    digest: '5510ce8a7d21',
    config: '77c1e0',
    diff: [{ path: 'spec.pluginConfig.realm', before: '"a"', after: null }],
    result: 'Succeeded',
    by: 'admin',
    message: 'auth 1.6.2 from the\n built-in registry',
    cause: null,
    startedAt: '2026-11-21T03:37:00.000Z',
    endedAt: AT,
    durationMs: 144_000,
    ...fields,
  };
}

test('C-B8: history tells the night, with the cause beside what failed', () => {
  const cause = 'refused by 3 nodes';
  const failed = historyRow({ revision: 8, result: 'RolledBack', cause, by: 'ci-edge', message: null });
  const old = { revision: null, digest: null, config: null, startedAt: '2026-11-12T03:37:00.000Z' } as const;
  const rows = [
    historyRow(),
    failed,
    historyRow({ ...old, result: 'NotStarted' }),
    historyRow({ ...old, change: 'delete' }),
  ];
  assert.equal(
    formatTable(toTable(HISTORY, rows, NOW, false)),
    'REVISION  DIGEST        CONFIG  RESULT      WHO      MESSAGE                                WHEN\n' +
      '10        5510ce8a7d21  77c1e0  Succeeded   admin    auth 1.6.2 from the built-in registry  03:37\n' +
      '8         5510ce8a7d21  77c1e0  RolledBack  ci-edge  –                                      03:37  refused by 3 nodes\n' +
      '–         –             –       NotStarted  admin    auth 1.6.2 from the built-in registry  9d\n' +
      'none      –             –       Succeeded   admin    auth 1.6.2 from the built-in registry  9d',
  );
  const wide = toTable(HISTORY, [historyRow()], NOW, true);
  assert.deepEqual(wide.headings.slice(7), ['ROLLOUT', 'CHANGE', 'TOOK', 'DIFF']);
  assert.deepEqual(wide.rows[0]?.slice(7), [
    'edge.auth.10',
    'update 7 → 10',
    '2m 24s',
    'spec.pluginConfig.realm "a" → –',
  ]);
});

test('a node names its worst plugin state where it is not the good one', () => {
  const [row] = toTable(NODES, [nodeView({ worst: 'Refused' })], NOW, false).rows;
  assert.equal(row?.[4], 'Connected, Refused');
  const excluded = { by: 'admin', message: null, since: AT };
  assert.equal(
    toTable(NODES, [nodeView({ worst: 'Loaded', excluded })], NOW, false).rows[0]?.[4],
    'Connected, excluded',
  );
  assert.equal(
    toTable(NODES, [nodeView({ worst: 'Loaded', silentSince: AT })], NOW, false).rows[0]?.[4],
    'Connected, silent',
  );
});

test('a node that several Envoys say they are says how many', () => {
  const envoys = ['10.0.0.1:1', '10.0.0.2:1'].map(address => ({
    address,
    since: AT,
    envoyVersion: '1.40.0',
  }));
  const [row] = toTable(NODES, [nodeView({ worst: 'Loaded', envoys })], NOW, false).rows;
  assert.equal(row?.[4], 'Connected, 2 Envoys');
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
  assert.match(text, /\nauth +1 +1 +Accepted +1m +revision 2 refused at 12:00:00: "Unable to create/);
  assert.match(text, /the cause for default\/auth: that node's Envoy log/);
});

test('a node without a place says so', () => {
  const none = onNode({ state: 'NotTargeted', reason: 'NoPlace', detail: 'no listener', revision: null });
  const text = describeNode(nodeView({ places: [], plugins: [none] }), NOW);
  assert.match(text, /NotTargeted \(NoPlace\)/);
  assert.match(text, /places for plugins: none/);
});

test("a node's description shows what a request passes, and that it takes part in nothing", () => {
  const tie = 'auth and limit have one phase and priority: auth is older';
  const text = 'auth (AUTHN) → limit → router';
  const chains = [
    { listener: 'ingress', where: 'ingress', text, plugins: [], ties: [tie] },
    { listener: null, where: 'every listener', text: 'router', plugins: [], ties: [] },
  ];
  const excluded = { by: 'admin', message: 'drained', since: AT };
  const lines = describeNode(nodeView({ chains, excluded }), NOW).split('\n');
  assert.equal(lines[1], 'excluded from rollouts by admin 1m ago: "drained"');
  assert.deepEqual(lines.slice(-3), [`listener ingress: ${text}`, `  ${tie}`, 'every listener: router']);
});

test("a plugin's description: phase, rollout, trouble, nodes, history", () => {
  const rollout = {
    id: 'default.auth.2',
    phase: 'RolledBack',
    active: false,
    plan: 'preset fast',
    by: 'admin',
  } as const;
  const heldBack = {
    revision: 2,
    text: 'default/auth: revision 2 was refused by demo-1 and is held back; 1 node runs revision 1',
    next: [{ command: 'attache rollout retry auth', text: 'to try it again' }],
  };
  const view = {
    ...pluginView({ refusal: REFUSAL, phase: 'RolledBack', rollout, heldBack }),
    onNodes: [onNode({ lastKnown: true })],
  };
  const text = describePlugin(view, [historyRow({ result: 'RolledBack' })], NOW);
  assert.match(text, /default\/auth {3}RolledBack {3}revision 1 {3}since 1m/);
  assert.match(text, /\n {2}rollout {2}default\.auth\.2, RolledBack: preset fast\n/);
  assert.match(text, /refused {2}revision 2 by demo-1 1m ago: "Unable/);
  assert.match(
    text,
    /\n {2}held {5}default\/auth: revision 2 was refused .*\n {2}next {5}attache rollout retry auth {3}to try it again\n/,
  );
  assert.match(text, /Accepted, last known/);
  assert.match(text, /10 +5510ce8a7d21 +77c1e0 +RolledBack/);
});

test('a plugin that is being removed says by whom', () => {
  const deleted = { by: 'admin', message: 'not needed', since: AT };
  assert.match(
    describePlugin(pluginView({ deleted }), [], NOW),
    /\n {2}deleted {2}1m ago by admin: "not needed"\n/,
  );
});

test("a rollout's description: the tree, then what it moves from and to", () => {
  const text = describeRollout(refusedView(), historyRow(), NOW);
  assert.match(text, /^edge\/auth {2}7 → 8 {3}RolledBack/);
  assert.ok(
    text.endsWith(
      [
        '',
        '  id       edge.auth.8 (update)',
        '  plan     preset fast (default below 10 nodes): 1 node, then 1 min bake',
        '  from     revision 7, module 0f3d22c9be10, config 6e02aa',
        '  to       revision 8, module 41d0aa93be02, config 77c1e0',
        '  changed  spec.pluginConfig.realm "a" → –',
        '  nodes    300 targets: 30 moved (0 run it, 3 refused), 270 never touched',
        '  actions  retry, undo',
      ].join('\n'),
    ),
    text,
  );
  const selector = { matchLabels: { role: 'edge' } };
  const placed = bakingView({ to: { revision: 1, digest: null, config: null, selector } });
  assert.match(
    describeRollout(placed, undefined, NOW),
    /to {7}revision 1, selector \{"matchLabels":\{"role":"edge"\}\}\n/,
  );
});

test('a node that refuses a listener shows it in the list of nodes', () => {
  const refused = [{ type: 'listeners', name: 'taken', message: 'cannot bind', since: AT }];
  const { rows } = toTable(NODES, [nodeView({ refusedResources: refused })], NOW, false);
  assert.equal(rows[0]?.[4], 'Connected, 1 resource refused');
});
