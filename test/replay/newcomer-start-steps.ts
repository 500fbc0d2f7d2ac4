import { until } from '../harness/wait.ts';
import { answers, type Laptop } from './laptop.ts';
import type { Step } from './step.ts';

/** The server and the Envoy of the demo, as it printed them. */
function demoServer({ demo }: Laptop): Record<string, string> {
  const [, server = ''] = /export ATTACHE_SERVER=(\S+)/.exec(demo?.text.out ?? '') ?? [];
  return { ATTACHE_SERVER: server };
}

const A1: readonly Step<Laptop>[] = [
  {
    story: 'A1',
    title: 'the demo',
    types: 'npm ci && npm run demo',
    otherwise: ['`npm ci` was done before; what `npm run demo` runs is typed: attache demo'],
    async act(laptop) {
      const demo = laptop.desk.start('exec attache demo');
      laptop.demo = demo;
      await until(() => demo.hasEnded() || demo.text.out.includes('curl -i'), {
        what: 'the demo to say what to try',
        deadlineMs: 90_000,
      });
      return { code: 0, ...demo.text };
    },
    screen: [
      '  Attaché demo                                    everything lives in /tmp/attache-demo-Xy1 and ends with Ctrl-C',
      '  1  control plane   xDS 127.0.0.1:18000   modules 127.0.0.1:18001   API http://127.0.0.1:18002',
      {
        screen:
          '  2  envoy           1.40.0 (PyPI wheel, into .cache/envoy/1.40.0), node "demo-1", http://127.0.0.1:10000',
        ours: /^ +2 +envoy .*node "demo-1", http:\/\/\S+/m,
        because: 'The Envoy was installed before; the first time it says "into".',
      },
      '  3  push            plugins/add-header → oci://127.0.0.1:18002/add-header:v1   5.4 KB   sha256 7d0c5e1f9a42',
      '  4  apply           WasmPlugin default/hello    revision 1',
      {
        screen:
          '                     checked: ABI 0.2.1, 3 imports, configure ran with your configuration (4 ms)',
        ours: /^ +checked: ABI [\d.]+, 3 imports known to Envoy [\d.]+, configure ran with your configuration \(\d+ ms\)$/m,
        because: 'It also says which Envoy knows the imports.',
      },
      '                     demo-1  Accepted  revision 1                                       after 0.9 s',
      '  5  request         GET http://127.0.0.1:10000/  →  200   x-hello: world             ← the plugin did this',
      '  6  reconfigure     pluginConfig.value: world → again      revision 2',
      '                     GET /  →  200   x-hello: again          0 listener updates, 1,204 of 1,204 requests answered meanwhile',
      '  7  a bad module    plugins/faulty/refuses-config           revision 3',
      '                     refused by demo-1: "Unable to create Wasm plugin default/hello"          rolled back to revision 2 in 0.4 s',
      {
        screen: '                     GET /  →  200   x-hello: again          0 failed requests',
        ours: /^ +GET \/ +→ +200 +x-hello: again +0 failed requests of [\d,]+$/m,
        because: 'It says of how many.',
      },
      '  Still running. Try:',
      '     bin/attache get nodes',
      '     bin/attache rollout history hello',
      '     curl -i http://127.0.0.1:10000/',
    ],
  },
  {
    story: 'A1',
    title: 'what it says to try, in a second terminal',
    types: 'bin/attache get nodes',
    act: laptop => laptop.desk.type('attache get nodes', { env: demoServer(laptop) }),
    exit: 0,
    screen: [
      'NAME     GROUP  ZONE  ENVOY    STATE      PLUGINS  LAST ACK  AGE',
      'demo-1   –      –     1.40.0   Connected  1/1      12s       1m',
    ],
  },
  {
    story: 'A1',
    title: 'and the history; then Ctrl-C',
    types: 'bin/attache rollout history hello',
    act: laptop => laptop.desk.type('attache rollout history hello', { env: demoServer(laptop) }),
    exit: 0,
    screen: [
      'REVISION  DIGEST        CONFIG    RESULT      WHO    MESSAGE             WHEN',
      {
        screen: '3         b7719f0c2d3e  a41b09    RolledBack  admin  –                   40s',
        ours: /^3 .*RolledBack +admin +– +\d+s +refused by demo-1$/m,
        because: 'A last column says what failed, as in the history of B8.',
      },
      '2         7d0c5e1f9a42  c0ffe1    Succeeded   admin  –                   44s',
      '1         7d0c5e1f9a42  11aa90    Succeeded   admin  –                   50s',
    ],
    async checks({ demo }) {
      await demo?.stop();
      const [, api = ''] = /API (\S+)/.exec(demo?.text.out ?? '') ?? [];
      const isGone = await fetch(`${api}/readyz`).then(
        () => false,
        () => true,
      );
      return [{ what: 'all of it ended', isSo: isGone && api !== '' }];
    },
  },
];

const A2: readonly Step<Laptop>[] = [
  {
    story: 'A2',
    title: 'a server',
    types: 'attache serve',
    async act(laptop) {
      await laptop.serve();
      return { code: 0, out: laptop.server?.text.out ?? '', err: '' };
    },
    screen: [
      'attache 1.0.0   data ./attache-data (new)',
      '  xDS      127.0.0.1:18000   plain text, loopback only',
      {
        screen: '  modules  127.0.0.1:18001',
        ours: /^ +modules +\S+ +plain text, loopback only$/m,
        because: 'Each of the ports says what it speaks, not xDS alone.',
      },
      '  API      http://127.0.0.1:18002   no token needed: loopback only',
      'ready in 0.2 s',
    ],
  },
  {
    story: 'A2',
    title: 'the own envoy.yaml, managed',
    types: 'attache bootstrap --from envoy.yaml --id laptop > managed.yaml',
    exit: 0,
    screen: [
      'read envoy.yaml: 1 listener (ingress, port 10000, 1 HTTP connection manager), 2 clusters',
      'added   node.id laptop, node.cluster laptop                     dynamic_resources.ads_config',
      'added   clusters attache_xds, attache_modules                   stats sink to Attaché (your stats stay as they are)',
      'added   4 plugin places in listener ingress, before envoy.filters.http.router: attache.authn, .authz, .stats, .last',
      'kept    everything else, byte for byte',
      'note    until this Envoy has once reached Attaché, listener ingress serves nothing. Open after 15 s instead: --unanswered allow',
      'note    needs Envoy 1.39 or later (filter_chain). For older ones name the plugins: --plugins auth,limit',
    ],
  },
  {
    story: 'A2',
    title: 'what was added',
    types: "diff envoy.yaml managed.yaml | grep -c '^>'",
    exit: 0,
    screen: ['61'],
  },
  {
    story: 'A2',
    title: 'it serves as before',
    types: 'envoy -c managed.yaml & curl -si localhost:10000/ | head -1',
    async act(laptop) {
      await laptop.runEnvoy('managed.yaml');
      return laptop.desk.type('curl -si localhost:10000/ | head -1');
    },
    exit: 0,
    screen: ['HTTP/1.1 200 OK'],
  },
  {
    story: 'A2',
    title: 'and is managed',
    types: 'attache get nodes',
    exit: 0,
    screen: [
      'NAME    GROUP  ZONE  ENVOY   STATE      PLUGINS  LAST ACK  AGE',
      'laptop  –      –     1.40.0  Connected  0/0      3s        8s',
    ],
  },
];

const A3: readonly Step<Laptop>[] = [
  {
    story: 'A3',
    title: 'the module goes to the built-in registry',
    types: 'attache push build/auth.wasm auth:1.4',
    exit: 0,
    screen: [
      'pushed 254 KB to the built-in registry',
      '  url: oci://127.0.0.1:18002/auth:1.4',
      '  digest: sha256:5f9e0c7a11b2…   (module sha256 9f2c4be01d77…)',
    ],
  },
  {
    story: 'A3',
    title: 'the first plugin, by its default document',
    types: 'attache apply -f plugin.yaml',
    exit: 0,
    screen: [
      'plugin default/auth created, revision 1',
      '  module   oci://127.0.0.1:18002/auth:1.4 → sha256 9f2c4be01d77, 254 KB',
      '  checked  ABI 0.2.1, 27 imports known to Envoy 1.40, configure ran: ok',
      '  targets  1 node (namespace default, no selector)',
      '  rollout  default.auth.1, preset fast (default below 10 nodes): 1 node, then 1 min bake',
      'watch: attache rollout status auth',
    ],
    checks: async laptop => [await answers(laptop, 401, 3_000)],
  },
  {
    story: 'A3',
    title: 'watched to its end',
    types: 'attache rollout status auth',
    act: ({ desk }) => desk.type('attache rollout status auth', { inTerminal: true }),
    exit: 0,
    screen: [
      'auth  –  → revision 1   Baking   0:21 of 1:00                                     started 38 s ago by admin',
      '├─ step 1  100 % asked, 1 of 1 node   done   0.8 s',
      '│  └─ laptop   Accepted  revision 1   0.8 s after sending',
      '├─ bake    0:21 of 1:00',
      {
        screen:
          '└─ gates   refusals 0   crashes 0   5xx  0 % of 3 requests: too few to judge, not held against it',
        ours: /^└─ gates +refusals 0 +crashes 0 +broken 0 +5xx .*too few to judge, not held against it$/m,
        because:
          'The gate for nodes that answer mostly 5xx is named, too; and in this minute nobody asked for anything.',
      },
      'Succeeded in 1m 2s: 1 of 1 node runs revision 1',
    ],
  },
  {
    story: 'A3',
    title: 'it works',
    types: 'curl -si localhost:10000/ | head -2',
    exit: 0,
    screen: [
      'HTTP/1.1 401 Unauthorized',
      {
        screen: 'www-authenticate: Basic realm="example"',
        ours: /^www-authenticate: Basic realm="example", charset="UTF-8"$/m,
        because: 'The plugin of this repository says which characters a password may have.',
      },
    ],
  },
];

/** Section A, the first 14 minutes: the demo, the own Envoy, the first plugin. */
export const START: readonly Step<Laptop>[] = [...A1, ...A2, ...A3];
