import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { manageBootstrap } from '../../../src/cli/bootstrap-from.ts';
import { judgeEnvoy } from '../../../src/cli/doctor/judge-envoy.ts';
import { type AdminAnswers, readEnvoy } from '../../../src/cli/doctor/read-envoy.ts';
import { FROM_OPTIONS, readShape } from '../../harness/bootstrap-shapes.ts';

const bootstrap = parse(manageBootstrap(readShape('own-wasm.yaml'), 'envoy.yaml', FROM_OPTIONS).text);
const EXTENSIONS = ['envoy.filters.http.wasm', 'envoy.wasm.runtime.v8', 'envoy.filters.http.filter_chain'];
const TYPE = 'type.googleapis.com/envoy.admin.v3.';

/** What a healthy Envoy 1.40.0 answers, as far as it is looked at. */
function answers(over: {
  info?: object;
  extensions?: readonly string[];
  listeners?: readonly object[];
  bootstrap?: object;
  initDump?: object;
  clusters?: string;
  stats?: string;
}): AdminAnswers {
  const extensions = (over.extensions ?? EXTENSIONS).map(name => ({ name }));
  const node = { id: 'laptop', cluster: 'laptop', extensions };
  return {
    serverInfo: { version: '9e55/1.40.0/Clean/RELEASE/BoringSSL', state: 'LIVE', node, ...over.info },
    configDump: {
      configs: [
        { '@type': `${TYPE}BootstrapConfigDump`, bootstrap: { ...bootstrap, ...over.bootstrap } },
        { '@type': `${TYPE}ListenersConfigDump`, dynamic_listeners: over.listeners ?? [] },
      ],
    },
    initDump: over.initDump ?? {},
    clusters:
      over.clusters ?? 'attache_xds::10.0.0.5:18000::cx_active::1\napp::127.0.0.1:3000::cx_active::0\n',
    stats: over.stats ?? 'control_plane.connected_state: 1\n',
  };
}

function judge(over: Parameters<typeof answers>[0]) {
  const reading = readEnvoy(answers(over));
  assert.ok(reading);
  return judgeEnvoy(reading).filter(finding => finding.level !== 'ok');
}

test('an Envoy that is well: nothing but ok, and connected with whom', () => {
  const reading = readEnvoy(answers({}));
  assert.ok(reading);
  assert.deepEqual(
    judgeEnvoy(reading).map(({ code }) => code),
    ['envoy', 'v8', 'node', 'ads', 'places', 'sink', 'connected'],
  );
});

const listener = (filters: readonly object[]) => ({
  name: 'main',
  filter_chains: [
    {
      filters: [
        {
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: 'main',
            http_filters: filters,
          },
        },
      ],
    },
  ],
});
const PLACE = { name: 'attache.authn', config_discovery: { config_source: { ads: {} }, type_urls: [] } };

const CASES: readonly (readonly [string, Parameters<typeof answers>[0], readonly string[]])[] = [
  ['an old release', { info: { version: 'x/1.35.9/Clean/RELEASE/BoringSSL' } }, ['warning old-envoy']],
  ['a release that it does not tell', { info: { version: 'x' } }, []],
  [
    'no V8',
    { extensions: EXTENSIONS.slice(0, 1).concat('envoy.filters.http.filter_chain') },
    ['problem no-v8'],
  ],
  ['no filter chains', { extensions: EXTENSIONS.slice(0, 2) }, ['problem no-filter-chain']],
  ['not connected', { clusters: 'attache_xds::10.0.0.5:18000::cx_active::0\n' }, ['problem not-connected']],
  ['no answer over ADS', { stats: 'control_plane.connected_state: 0\n' }, ['problem not-connected']],
  ['stats that a matcher leaves out', { stats: '' }, []],
  [
    'still starting',
    {
      info: { state: 'INITIALIZING' },
      initDump: { unready_targets_dumps: [{ name: 'm', target_names: ['listener main'] }] },
    },
    ['problem not-live'],
  ],
  [
    'a listener that was refused',
    {
      listeners: [
        { name: 'main', active_state: { listener: listener([PLACE]) }, error_state: { details: 'no' } },
      ],
    },
    ['problem listener-refused'],
  ],
  [
    'a listener that waits',
    { listeners: [{ name: 'main', warming_state: { listener: listener([PLACE]) } }] },
    ['warning listener-waits'],
  ],
  [
    'a listener of ours without places, as before Envoy 1.39 where no plugin is',
    { listeners: [{ name: 'main', active_state: { listener: listener([]) } }] },
    [],
  ],
  [
    'a listener of others without places',
    {
      listeners: [{ name: 'main', active_state: { listener: listener([]) } }],
      bootstrap: {
        dynamic_resources: {
          ...bootstrap.dynamic_resources,
          lds_config: { path_config_source: { path: '/lds.yaml' } },
        },
      },
    },
    ['warning listeners-elsewhere', 'warning no-places'],
  ],
  ['downloads that failed', { stats: 'wasm.remote_load_fetch_failures: 3\n' }, ['warning fetch-failures']],
  ['a closed place', { stats: 'http.main.rbac.attache_closed.denied: 4\n' }, ['warning closed-place']],
  [
    'crashes',
    {
      stats:
        'wasm.default/auth.vm_reload_success: 2\nwasm.default/auth.vm_reload_backoff: 1\nwasm.x.vm_reload_failure: 0\n',
    },
    ['warning plugin-crashed'],
  ],
];
for (const [what, over, findings] of CASES)
  test(`found on a running Envoy: ${what}`, () => {
    assert.deepEqual(
      judge(over).map(({ level, code }) => `${level} ${code}`),
      findings,
    );
  });

test('a start says what it waits for, a crash how often', () => {
  const [waiting] = judge(CASES[7]?.[1] ?? {});
  assert.match(waiting?.text ?? '', /waits for listener main/);
  const [crashed] = judge(CASES[14]?.[1] ?? {});
  assert.match(crashed?.text ?? '', /plugin default\/auth crashed 3 times/);
});

test('what is no Envoy is not judged', () => {
  for (const serverInfo of [undefined, {}, { state: 1 }, { state: 'LIVE' }])
    assert.equal(
      readEnvoy({ serverInfo, configDump: {}, initDump: undefined, clusters: '', stats: '' }),
      undefined,
    );
});
