import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../harness/wait.ts';
import type { Typed } from './desk.ts';
import { type Laptop, toDocument } from './laptop.ts';
import type { Check, Step } from './step.ts';

/** So that a bake is not a minute each time. */
const QUICK = '{ preset: fast, bake: 4s }';

function write({ desk }: Laptop, name: string, options: Parameters<typeof toDocument>[0]): void {
  desk.write(name, desk.localize(toDocument(options)));
}

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

const A4: readonly Step<Laptop>[] = [
  {
    story: 'A4',
    title: 'a misspelt field',
    types: "sed -i 's/pluginConfig/pluginConf/' plugin.yaml && attache apply -f plugin.yaml",
    async act(laptop) {
      const typed = await laptop.desk.type(
        "sed -i 's/pluginConfig/pluginConf/' plugin.yaml && attache apply -f plugin.yaml",
      );
      write(laptop, 'plugin.yaml', {});
      return typed;
    },
    exit: 1,
    screen: [
      'error: plugin.yaml:7:3: spec.pluginConf: unknown field. Did you mean pluginConfig?',
      'nothing was changed                                                                             (code unknown-field, docs/errors.md#unknown-field)',
    ],
  },
  {
    story: 'A4',
    title: 'a configuration that the plugin refuses',
    types: 'attache apply -f typed-wrong.yaml',
    async act(laptop) {
      write(laptop, 'typed-wrong.yaml', { realm: '5' });
      return laptop.desk.type('attache apply -f typed-wrong.yaml');
    },
    exit: 1,
    screen: [
      {
        screen: 'error: typed-wrong.yaml:7:18: the plugin refuses this configuration',
        ours: /^error: \S*typed-wrong\.yaml:7:\d+: spec\.pluginConfig\.realm: expected a string, got number$/m,
        because: 'This module brings a schema of its configuration, which says so before the plugin is run.',
      },
      {
        screen:
          '  auth: "realm: expected a string, got number"                     ← the plugin\'s own log line, from a trial run',
        ours: null,
        because:
          'Printed for a module without a schema: see the test C-A4 in test/e2e/rollouts/newcomer.test.ts.',
      },
      {
        screen: '  no node was touched; revision 1 stays',
        ours: /^nothing was changed +\(code config-mismatch, docs\/errors\.md#config-mismatch\)$/m,
        because: 'The document was not even stored, so it says more: nothing was changed.',
      },
    ],
    checks: async laptop => [await answers(laptop, 401, 3_000)],
  },
  {
    story: 'A4',
    title: 'a namespace that no node is in',
    types: 'attache apply -f edge.yaml',
    async act(laptop) {
      write(laptop, 'edge.yaml', { namespace: 'edge' });
      return laptop.desk.type('attache apply -f edge.yaml');
    },
    exit: 0,
    screen: [
      'warning: edge/auth matches no node. It selects namespace edge; your 1 node is in namespace default.',
      {
        screen:
          '         Put the node there:    attache bootstrap --namespace edge …     or drop metadata.namespace from the document',
        ours: /^ +Put the node there: attache bootstrap --namespace edge …, or drop metadata\.namespace from the document$/m,
        because: 'A sentence, not columns.',
      },
      'plugin edge/auth created, revision 1; it reaches the first node of namespace edge when that connects',
    ],
  },
  {
    story: 'A4',
    title: 'an Envoy with no listener',
    types: 'attache bootstrap --id bare > bare.yaml && envoy -c bare.yaml --base-id 1 & attache get plugins',
    async act(laptop) {
      const { out } = await laptop.desk.must('attache bootstrap --id bare');
      await laptop.runBare(out);
      const list = () => laptop.desk.type('attache get plugins');
      return until(
        async () => {
          const typed = await list();
          return typed.err.includes('bare') && typed;
        },
        { what: 'bare to be known for having no place', everyMs: 300 },
      );
    },
    exit: 0,
    screen: [
      'NAMESPACE  NAME  REVISION  PHASE      NODES  MODULE        AGE',
      'default    auth  1         Succeeded  1/1    9f2c4be01d77  6m',
      {
        screen: 'note: 1 node has no place for auth: bare (no listener). attache describe node bare',
        ours: /^note: 1 node cannot run auth: bare\. attache describe node bare$/m,
        because: 'A place may be missing, or V8: apply and describe say which.',
      },
    ],
  },
];

const A5: readonly Step<Laptop>[] = [
  {
    story: 'A5',
    title: 'what an update would change',
    types: 'attache diff -f plugin.yaml',
    otherwise: ['from here on the document asks for a bake of 4 s, not of a minute: spec.rollout'],
    async act(laptop) {
      write(laptop, 'plugin.yaml', { realm: 'laptop', rollout: QUICK });
      return laptop.desk.type('attache diff -f plugin.yaml');
    },
    exit: 3,
    screen: [
      'default/auth   revision 1 → 2',
      '  spec.pluginConfig.realm   "example" → "laptop"',
      '  module                    unchanged (9f2c4be01d77)',
      {
        screen:
          'chain on 1 node (laptop), listener ingress:   auth (AUTHN)  →  router                     order unchanged, no listener update',
        ours: /^chain on 1 node \(laptop\), listener ingress: auth \(AUTHN\) → router; order unchanged, no listener update$/m,
        because: 'A sentence, not columns.',
      },
      'steps: 1 laptop; then 1 min bake',
    ],
  },
  {
    story: 'A5',
    title: 'the update',
    types: 'attache apply -f plugin.yaml -m "realm for laptops" --wait',
    exit: 0,
    screen: ['Succeeded in 1m 1s: 1 of 1 node runs revision 2'],
  },
  {
    story: 'A5',
    title: 'the way back',
    types: 'attache rollout undo auth -m "liked the old one"',
    exit: 0,
    screen: [
      {
        screen:
          'auth: revision 2 → 1 on 1 node, at once (inside the 72 h window); bytes are here, no registry needed',
        ours: /^default\/auth: revision 2 → 1 on 1 node, at once \(inside the 72 h window\); bytes are here, no registry needed$/m,
        because: 'The name is told with its namespace.',
      },
      {
        screen: 'laptop   Accepted   revision 1   0.3 s',
        ours: /^laptop +(Accepted|Loaded) +revision 1 +\S+ s after sending$/m,
        because: 'It says since when the time counts.',
      },
    ],
    checks: async ({ desk }) => [
      await until(async () => (await desk.type('curl -si localhost:10000/')).out.includes('"example"'), {
        what: 'the old realm',
      }).then(
        () => ({ what: 'the old realm is back', isSo: true }),
        () => ({ what: 'the old realm is back', isSo: false }),
      ),
    ],
  },
  {
    story: 'A5',
    title: 'the same file again',
    types: 'attache apply -f plugin.yaml',
    exit: 4,
    screen: [
      {
        screen:
          'default/auth: revision 2 was undone by admin 20 s ago ("liked the old one"); nothing was changed.',
        ours: /^default\/auth: revision 2 \(module \w+, config \w+\) was undone by admin \("liked the old one"\) at \S+ and is held back; 1 node runs revision 1$/m,
        because:
          'A time of the clock, which stays right in the log of a job; which content it is; and what runs instead of "nothing was changed".',
      },
      'to roll it out again: attache rollout retry auth',
    ],
  },
  {
    story: 'A5',
    title: 'the control plane is gone, the plugin is not',
    types: 'kill %1; sleep 1; curl -si localhost:10000/ | head -1',
    async act(laptop) {
      await laptop.server?.stop();
      return laptop.desk.type('curl -si localhost:10000/ | head -1');
    },
    exit: 0,
    screen: ['HTTP/1.1 401 Unauthorized'],
  },
  {
    story: 'A5',
    title: 'and the verbs say what is wrong',
    types: 'attache get nodes',
    exit: 1,
    screen: [
      'error: http://127.0.0.1:18002 does not answer (connection refused). Envoys go on as they are. Start it: attache serve',
    ],
  },
];

const A6: readonly Step<Laptop>[] = [
  {
    story: 'A6',
    title: 'the plugin is taken away',
    types: 'attache serve & attache delete plugin auth',
    async act(laptop) {
      await laptop.serve();
      await until(async () => /laptop .* Connected/.test((await laptop.desk.type('attache get nodes')).out), {
        what: 'laptop to be back',
        everyMs: 300,
      });
      return laptop.desk.type('attache delete plugin auth');
    },
    exit: 0,
    screen: [
      {
        screen: 'plugin default/auth: removing from 1 node, preset fast; watch: attache rollout status auth',
        ours: /^plugin default\/auth: removing from 1 node, preset fast: 1 node, then \d+ s bake\nwatch: attache rollout status auth$/m,
        because: 'The steps are told, as by apply, and how to watch on a line of its own.',
      },
    ],
  },
  {
    story: 'A6',
    title: 'in the same steps',
    types: 'attache rollout status auth',
    exit: 0,
    screen: [
      {
        screen: 'Succeeded in 1m 0s: 1 of 1 node runs without auth',
        ours: /^Succeeded in \S+ s: (1 of 1 node runs|2 of 2 nodes run) without default\/auth$/m,
        because:
          'With its namespace. Shortly after a start the Envoy without a listener may count: it is not known yet that it has no place.',
      },
    ],
    checks: async laptop => [await answers(laptop, 200, 5_000)],
  },
  {
    story: 'A6',
    title: 'and the original file was never touched',
    types: 'envoy -c envoy.yaml',
    async act(laptop): Promise<Typed> {
      await laptop.runEnvoy('envoy.yaml');
      return { code: 0, out: String(await laptop.get()), err: '' };
    },
    screen: [],
    checks: ({ desk }, { out }) => {
      const text = readFileSync(join(desk.folder, 'envoy.yaml'), 'utf8');
      return [
        { what: 'it serves', isSo: out === '200', seen: out },
        { what: 'nothing of Attaché is in it', isSo: !/attache/i.test(text) },
      ];
    },
  },
];

/** The own listener answers so, within some time. */
async function answers(laptop: Laptop, status: number, withinMs: number): Promise<Check> {
  const what = `a request is answered ${status} within ${withinMs / 1_000} s`;
  let last = 0;
  const isSo = await until(
    async () => {
      last = await laptop.get();
      return last === status;
    },
    { what, deadlineMs: withinMs },
  ).then(
    () => true,
    () => false,
  );
  return { what, isSo, seen: String(last) };
}

/** Section A: a newcomer's half hour. */
export const NEWCOMER: readonly Step<Laptop>[] = [...A1, ...A2, ...A3, ...A4, ...A5, ...A6];
