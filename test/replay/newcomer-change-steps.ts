import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../harness/wait.ts';
import type { Typed } from './desk.ts';
import { answers, type Laptop, writeDocument } from './laptop.ts';
import type { Step } from './step.ts';

/** So that a bake is not a minute each time. */
const QUICK = '{ preset: fast, bake: 4s }';

const A4: readonly Step<Laptop>[] = [
  {
    story: 'A4',
    title: 'a misspelt field',
    types: "sed -i 's/pluginConfig/pluginConf/' plugin.yaml && attache apply -f plugin.yaml",
    async act(laptop) {
      const typed = await laptop.desk.type(
        "sed -i 's/pluginConfig/pluginConf/' plugin.yaml && attache apply -f plugin.yaml",
      );
      writeDocument(laptop, 'plugin.yaml', {});
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
      writeDocument(laptop, 'typed-wrong.yaml', { realm: '5' });
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
      writeDocument(laptop, 'edge.yaml', { namespace: 'edge' });
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
      writeDocument(laptop, 'plugin.yaml', { realm: 'laptop', rollout: QUICK });
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
      // Until it is known again that the other Envoy has no place, it counts.
      const isKnown = async () => (await laptop.desk.type('attache get plugins')).err.includes('bare');
      await until(isKnown, { what: 'both Envoys to be back', deadlineMs: 40_000, everyMs: 300 });
      return laptop.desk.type('attache delete plugin auth');
    },
    exit: 0,
    screen: [
      {
        screen: 'plugin default/auth: removing from 1 node, preset fast; watch: attache rollout status auth',
        ours: /^plugin default\/auth: removing from 1 node, preset fast: .*bake\nwatch: attache rollout status auth$/m,
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

/** Section A from minute 14 on: mistakes, an update and the way back, leaving. */
export const CHANGES: readonly Step<Laptop>[] = [...A4, ...A5, ...A6];
