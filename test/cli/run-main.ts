import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { CommandContext } from '../../src/cli/command-context.ts';
import { main } from '../../src/main.ts';

/** Gone after the tests. */
export const folder = mkdtempSync(join(tmpdir(), 'attache-main-'));
after(() => rmSync(folder, { recursive: true }));

/** What a command line printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a world of its own. */
export async function run(args: readonly string[], world: Partial<CommandContext> = {}): Promise<Ran> {
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
    ports: {
      startControlPlane: unused,
      createLog: unused,
      pushModule: unused,
      pullModule: unused,
      inspectReference: unused,
      inspectFile: unused,
      checkFile: unused,
      tagArtifact: unused,
      runPlugin: unused,
      logIn: unused,
      logOut: unused,
      checkBackup: unused,
      restoreBackup: unused,
      buildPlugin: unused,
    },
    ...world,
  });
  return { code, ...text };
}

/** A server that answers what it is told by method and path, and notes what it was asked. */
export async function withServer(
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

/** A plugin `auth` with this spec as a file of its own; gives the path. */
export function writeDocument(name: string, spec: string): string {
  const path = join(folder, name);
  const head = 'apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: auth}\nspec:\n';
  writeFileSync(path, head + spec);
  return path;
}

/** The answer to a PUT. */
export const answer = (view: object) => ({ ...view, result: 'created', warnings: [], dryRun: false });
/** Of the plugin of `writeDocument`. */
export const PATH = '/v1/plugins/default/auth';
/** What apply asks first. */
export const VALIDATION = 'POST /v1/plans?modules=false';
