import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandContext } from '../../src/cli/command-context.ts';
import { folder, PATH, run, withServer, writeDocument } from './run-main.ts';
import { nodeCounts, nodeView, onNode, pluginView } from './views.ts';

test('bad usage is exit 2, on stderr', async () => {
  for (const args of [
    ['nope'],
    ['get'],
    ['get', 'things'],
    ['apply'],
    ['serve', '--xds-listen', 'x'],
    ['bootstrap'],
    ['apply', '-f', '.', '--timeout', '5s'],
    ['delete', 'plugin', 'a', '--timeout', '5s'],
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

test('a fault that needs no server is told without one', async () => {
  const file = writeDocument('typo.yaml', '  url: oci://r.example/auth:1\n  pluginConf: {}\n');
  const { code, err } = await run(['apply', '-f', file, '--server', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(err, /typo\.yaml:6:3: spec\.pluginConf: unknown field\. Did you mean pluginConfig\?/);
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
