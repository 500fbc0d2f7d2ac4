import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CommandContext } from '../../src/cli/command-context.ts';
import { main } from '../../src/main.ts';
import { bakingView, refusedView, succeededView } from './rollout-views.ts';
import { nodeCounts, nodeView, onNode, pluginView, revisionView } from './views.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-main-'));
after(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a world of its own. */
async function run(args: readonly string[], world: Partial<CommandContext> = {}): Promise<Ran> {
  const text = { out: '', err: '' };
  const unused = () => assert.fail('not expected here');
  const code = await main(args, {
    env: {},
    version: '1.2.3',
    out: line => {
      text.out += `${line}\n`;
    },
    err: line => {
      text.err += `${line}\n`;
    },
    onSignal: () => () => undefined,
    exitNow: unused,
    ports: { startControlPlane: unused, createLog: unused, pushModule: unused, buildPlugin: unused },
    ...world,
  });
  return { code, ...text };
}

/** A server that answers what it is told by method and path, and notes what it was asked. */
async function withServer(
  answers: Readonly<Record<string, unknown>>,
  use: (server: string, asked: readonly string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const key = `${request.method} ${request.url}`;
    asked.push(key);
    request.resume();
    const answer = answers[key] as { status?: number } | undefined;
    const status =
      answer === undefined ? 404 : (answer as { code?: string }).code ? answer.status : undefined;
    response.writeHead(status ?? 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(answer ?? { status: 404, code: 'not-found', detail: `no ${key}`, errors: [] }),
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
}

function writeDocument(name: string, spec: string): string {
  const path = join(folder, name);
  const head = 'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: auth}\nspec:\n';
  writeFileSync(path, head + spec);
  return path;
}

const answer = (view: object) => ({ ...view, result: 'created', warnings: [], dryRun: false });
const PATH = '/v1/plugins/default/auth';
const VALIDATION = 'POST /v1/plans?modules=false';

test('--help lists every verb, and VERB --help shows an example', async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  const verbs = [
    'demo',
    'serve',
    'bootstrap',
    'example',
    'envoy',
    'push',
    'apply',
    'diff',
    'rollout',
    'get',
    'describe',
    'events',
    'delete',
    'node',
    'freeze',
    'unfreeze',
  ];
  for (const verb of verbs) assert.match(help.out, new RegExp(`^ {2}${verb} `, 'm'));
  const actions = ['status', 'history', 'pause', 'resume', 'promote', 'abort', 'retry', 'undo'];
  const groups: Readonly<Record<string, readonly string[]>> = {
    example: ['listener'],
    node: ['exclude', 'include'],
    rollout: actions,
    envoy: [],
  };
  for (const verb of verbs)
    for (const rest of groups[verb]?.map(one => [one]) ?? [[]]) {
      const own = await run([verb, ...rest, '--help']);
      assert.equal(own.code, 0);
      assert.match(own.out, /Example:/, `${verb} ${rest.join(' ')}`);
    }
});

test('bad usage is exit 2, on stderr', async () => {
  for (const args of [
    ['nope'],
    ['get'],
    ['get', 'things'],
    ['apply'],
    ['serve', '--xds-listen', 'x'],
    ['bootstrap'],
  ]) {
    const { code, err, out } = await run(args, { env: { ATTACHE_SERVER: 'http://127.0.0.1:9' } });
    assert.equal(code, 2, args.join(' '));
    assert.match(err, /error: /);
    assert.equal(out, '');
  }
});

test('a server that does not answer: what that means, and what to do', async () => {
  let gone = '';
  await withServer({}, async server => {
    gone = server;
  });
  const { code, err } = await run(['get', 'nodes', '--server', gone]);
  assert.equal(code, 1);
  assert.equal(
    err,
    `error: ${gone} does not answer (connection refused). Envoys go on as they are. Start it: attache serve\n`,
  );
});

test('get prints tables, JSON, YAML and names', async () => {
  const answers = {
    'GET /v1/nodes': { kind: 'NodeList', items: [nodeView()] },
    'GET /v1/plugins': { kind: 'PluginList', items: [pluginView()] },
    'GET /v1/resources/listeners': { kind: 'EnvoyResourceList', items: [] },
  };
  await withServer(answers, async server => {
    const env = { ATTACHE_SERVER: server };
    assert.match((await run(['get', 'nodes'], { env })).out, /^NAME .*\ndemo-1 /);
    assert.equal((await run(['get', 'nodes', '-o', 'name'], { env })).out, 'node/demo-1\n');
    assert.equal(JSON.parse((await run(['get', 'plugins', '-o', 'json'], { env })).out).items.length, 1);
    assert.match((await run(['get', 'plugins', '-o', 'yaml'], { env })).out, /kind: Plugin/);
    assert.match((await run(['get', 'plugins', '-n', 'edge'], { env })).out, /^NAMESPACE .*\n$/);
    assert.match((await run(['get', 'listeners'], { env })).out, /^TYPE/);
  });
});

test('a node that cannot run a plugin is named below the table', async () => {
  const view = pluginView({ nodes: nodeCounts({ noPlace: 1 }) });
  const bare = onNode({ node: 'bare', state: 'NotTargeted', reason: 'NoPlace' });
  const answers = {
    'GET /v1/plugins': { kind: 'PluginList', items: [view] },
    [`GET ${PATH}`]: { ...view, onNodes: [bare] },
  };
  await withServer(answers, async server => {
    const { err } = await run(['get', 'plugins', '--server', server]);
    assert.equal(err, 'note: 1 node cannot run auth: bare. attache describe node bare\n');
  });
});

test('apply validates everything before it stores anything', async () => {
  const file = writeDocument('good.yaml', '  url: oci://r.example/auth:1\n');
  const problem = {
    status: 422,
    code: 'unknown-field',
    detail: 'spec.phase: …',
    errors: [{ pointer: '/documents/0/spec/url', message: 'is not allowed', hint: 'Take another.' }],
  };
  await withServer({ [VALIDATION]: problem }, async (server, asked) => {
    const { code, err } = await run(['apply', '-f', file, '--server', server]);
    assert.equal(code, 1);
    assert.match(err, /good\.yaml:5:3: spec\.url: is not allowed\. Take another\./);
    assert.match(err, /nothing was changed {3}\(code unknown-field, docs\/errors\.md#unknown-field\)/);
    assert.deepEqual(asked, [VALIDATION]);
  });
});

test('a fault that needs no server is told without one', async () => {
  const file = writeDocument('typo.yaml', '  url: oci://r.example/auth:1\n  pluginConf: {}\n');
  const { code, err } = await run(['apply', '-f', file, '--server', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(err, /typo\.yaml:6:3: spec\.pluginConf: unknown field\. Did you mean pluginConfig\?/);
});

const FOLLOWED = {
  [VALIDATION]: { kind: 'Plan', differs: true, items: [] },
  [`GET ${PATH}/revisions`]: { kind: 'RevisionList', items: [revisionView()] },
  'GET /v1/nodes': { kind: 'NodeList', items: [nodeView()] },
};
const ROLLOUT = {
  id: 'default.auth.1',
  phase: 'Baking',
  active: true,
  plan: 'preset fast: 1 node, then 1 min bake',
  by: 'admin',
} as const;

test('apply reports what was checked; --wait draws it to its end; message and preset are handed on', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const view = { ...pluginView({ phase: 'Baking', rollout: ROLLOUT }), onNodes: [onNode()] };
  const answers = {
    ...FOLLOWED,
    'POST /v1/plans?preset=fast&modules=false': FOLLOWED[VALIDATION],
    [`PUT ${PATH}?message=why%20not&preset=fast`]: answer(view),
    [`PUT ${PATH}`]: { ...answer(view), warnings: ['mind the gap'] },
    [`GET ${PATH}`]: view,
    'GET /v1/rollouts/default.auth.1': succeededView(),
  };
  await withServer(answers, async server => {
    const flags = ['-m', 'why not', '--preset', 'fast', '--wait', '--server', server];
    const waited = await run(['apply', '-f', file, ...flags]);
    assert.equal(waited.code, 0, waited.err);
    assert.match(waited.out, /^plugin default\/auth created, revision 1\n/);
    assert.match(waited.out, /27 imports known to Envoy 1\.40\n/);
    assert.match(waited.out, /\n {2}rollout {2}default\.auth\.1, preset fast: 1 node, then 1 min bake\n/);
    assert.match(waited.out, /\nSucceeded in 1m 2s: 1 of 1 node runs revision 1\n$/);
    assert.doesNotMatch(waited.out, /watch:/);
    const stored = await run(['apply', '-f', file, '--no-wait', '--server', server]);
    assert.deepEqual([stored.code, stored.err], [0, 'warning: mind the gap\n']);
    assert.match(stored.out, /^plugin default\/auth created\nwatch: attache rollout status auth\n$/);
  });
});

test('apply --wait exits 4 where it was rolled back, 5 where a person has to act', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const view = { ...pluginView({ phase: 'Baking', rollout: ROLLOUT }), onNodes: [] };
  const ends = [
    [4, refusedView({ id: ROLLOUT.id, plugin: 'default/auth' }), /RolledBack in 2\.9 s/],
    [5, bakingView({ phase: 'Paused', reason: 'Human', waitsForPerson: true }), /Paused \(Human\)/],
  ] as const;
  for (const [expected, end, text] of ends) {
    const answers = {
      ...FOLLOWED,
      [`PUT ${PATH}`]: answer(view),
      [`GET ${PATH}`]: view,
      'GET /v1/rollouts/default.auth.1': end,
    };
    await withServer(answers, async server => {
      const { code, out } = await run(['apply', '-f', file, '--wait', '--server', server]);
      assert.equal(code, expected, out);
      assert.match(out, text);
    });
  }
});

test('a freeze is no fault of the document', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const frozen = {
    status: 423,
    code: 'frozen',
    detail: 'frozen by admin',
    hint: 'attache unfreeze lifts it.',
    errors: [],
  };
  await withServer({ ...FOLLOWED, [`PUT ${PATH}`]: frozen }, async server => {
    const { code, err } = await run(['apply', '-f', file, '--server', server]);
    assert.deepEqual([code, err], [1, 'error: frozen by admin. attache unfreeze lifts it.\n']);
  });
});

test('delete hands on what is asked, and says how to watch', async () => {
  const deleted = { kind: 'Plugin', namespace: 'default', name: 'auth' };
  const text = 'plugin default/auth: removing from 2 nodes, preset fast';
  const gone = { kind: 'Deleted', deleted, nodes: 2, rollout: 'default.auth.2', text };
  const answers = {
    [`DELETE ${PATH}?message=gone&now=true`]: gone,
    'GET /v1/plugins': { kind: 'PluginList', items: [pluginView()] },
  };
  await withServer(answers, async server => {
    const { code, out } = await run(['delete', 'plugin', 'auth', '-m', 'gone', '--now', '--server', server]);
    assert.deepEqual([code, out], [0, `${text}\nwatch: attache rollout status auth\n`]);
    const missing = await run(['delete', 'plugin', 'auht', '--server', server]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /Did you mean auth\?\n$/);
    assert.equal((await run(['delete', 'listener', 'x', '--now', '--server', server])).code, 2);
  });
});

test('rollout status leaves with the code of the phase, as a tree or as data', async () => {
  const answers = {
    'GET /v1/rollouts/default.auth.latest': bakingView({ phase: 'Paused', waitsForPerson: true }),
    'GET /v1/rollouts/edge.auth.8': refusedView(),
  };
  await withServer(answers, async server => {
    const env = { ATTACHE_SERVER: server };
    const paused = await run(['rollout', 'status', 'auth', '--once'], { env });
    assert.equal(paused.code, 5);
    assert.match(paused.out, /^auth {2}– → revision 1 {3}Paused/);
    const data = await run(['rollout', 'status', 'edge.auth.8', '-o', 'json'], { env });
    assert.equal(data.code, 4);
    assert.equal(JSON.parse(data.out).id, 'edge.auth.8');
    assert.equal((await run(['rollout', 'status', 'auth', '--timeout', '5'], { env })).code, 2);
    assert.equal((await run(['rollout'], { env })).code, 2);
  });
});

test('push hands the bytes and the reference on, and prints the line to paste', async () => {
  const file = join(folder, 'auth.wasm');
  writeFileSync(file, Buffer.concat([Buffer.from('\0asm'), Buffer.alloc(1000)]));
  const pushed: string[] = [];
  const ports = {
    pushModule: async (request: { reference: string; insecureRegistries: readonly string[] }) => {
      pushed.push(request.reference, ...request.insecureRegistries);
      return { manifestDigest: 'sha256:5f9e', moduleSha256: '9f2c4be01d77aaaa' };
    },
  } as unknown as CommandContext['ports'];
  const { code, out } = await run(['push', file, 'auth:1.4', '--server', 'http://10.0.0.1:18002'], { ports });
  assert.equal(code, 0);
  assert.deepEqual(pushed, ['10.0.0.1:18002/auth:1.4', '10.0.0.1:18002']);
  assert.equal(
    out,
    'pushed 1.0 KB to the built-in registry\n  url: oci://10.0.0.1:18002/auth:1.4\n  digest: sha256:5f9e   (module sha256 9f2c4be01d77)\n',
  );
  writeFileSync(file, 'text');
  assert.equal((await run(['push', file, 'auth:1.4'], { ports })).code, 1);
});

test('serve prints where it listens and stops on a signal', async () => {
  const listeners: ((signal: 'SIGTERM') => void)[] = [];
  let stopped = 0;
  const addresses = { xds: '127.0.0.1:1', modules: '127.0.0.1:2', api: 'http://127.0.0.1:3' };
  const running = run(['serve', '--data', join(folder, 'data')], {
    onSignal: listener => {
      listeners.push(listener);
      return () => undefined;
    },
    ports: {
      createLog: async () => ({}),
      startControlPlane: async () => {
        setImmediate(() => listeners[0]?.('SIGTERM'));
        return {
          addresses,
          async stop() {
            stopped += 1;
          },
        };
      },
    } as unknown as CommandContext['ports'],
  });
  const { code, out } = await running;
  assert.equal(code, 0);
  assert.equal(stopped, 1);
  assert.match(
    out,
    /^attache 1\.2\.3 {3}data .*data \(new\)\n {2}xDS {6}127\.0\.0\.1:1 {3}plain text, loopback only\n/,
  );
  assert.match(out, /API {6}http:\/\/127\.0\.0\.1:3 {3}no token needed: loopback only\nready in \d\.\d s\n$/);
});

test('a second signal does not wait for the stop', async () => {
  const codes: number[] = [];
  const signals: (() => void)[] = [];
  const finished = Promise.withResolvers<void>();
  const { code } = await run(['serve', '--data', join(folder, 'data')], {
    onSignal: listener => {
      signals.push(() => listener('SIGINT'));
      return () => undefined;
    },
    exitNow: ((exit: number) => {
      codes.push(exit);
      finished.resolve();
    }) as CommandContext['exitNow'],
    ports: {
      createLog: async () => ({}),
      startControlPlane: async () => {
        setImmediate(() => signals[0]?.());
        return {
          addresses: {},
          async stop() {
            setImmediate(() => signals[0]?.());
            await finished.promise;
          },
        };
      },
    } as unknown as CommandContext['ports'],
  });
  assert.deepEqual(codes, [1]);
  assert.equal(code, 0);
});
