import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeDirectory, startRegistry } from '../module/actors.ts';
import { DISTRIBUTION, findGoTool } from './go-tools.ts';

/** Where a foreign program is; without it the error says how to get it. */
function findTool(name: string): string {
  const found = findInPath(name);
  if (found === undefined)
    throw new Error(
      `${name} is not installed, and this test is about it. On Debian: apt-get install ${name}`,
    );
  return found;
}

export function findInPath(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, name));
  return paths.find(existsSync);
}

/** Runs skopeo and gives what it prints; an error holds what it complained of. */
export function skopeo(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      findTool('skopeo'),
      ['--insecure-policy', ...args],
      { timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`skopeo ${args.join(' ')}: ${stderr}`));
      },
    );
  });
}

/** Where it listens; undefined: the registry cannot be had, and the test is skipped. */
type StartRegistry = (t: TestContext) => Promise<{ readonly host: string } | undefined>;

/** Every client is tried with each of them. */
export const REGISTRIES: Readonly<Record<string, StartRegistry>> = {
  'the built-in registry': t => startRegistry(t),
  'docker-registry': t => startDockerRegistry(t),
  'distribution 3': startDistribution,
};

/** Debian's docker-registry on a free port of loopback, with the lines of YAML added to its configuration. */
export function startDockerRegistry(t: TestContext, more = ''): Promise<{ readonly host: string }> {
  return startRegistryProgram(t, findTool('docker-registry'), more);
}

/** What docker-registry became, current; undefined: there is no Go to build it, and the test is skipped. */
async function startDistribution(t: TestContext): Promise<{ readonly host: string } | undefined> {
  const program = await findGoTool(t, DISTRIBUTION);
  return program === undefined ? undefined : startRegistryProgram(t, program, '');
}

async function startRegistryProgram(
  t: TestContext,
  program: string,
  more: string,
): Promise<{ readonly host: string }> {
  return stopAfter(t, await spawnRegistry(program, await makeDirectory(t), more));
}

/** A program that takes docker-registry's configuration, on a free port of loopback; it keeps all in the directory. */
export async function spawnRegistry(
  program: string,
  directory: string,
  more = '',
): Promise<{ readonly host: string; stop(): Promise<void> }> {
  const host = `127.0.0.1:${await findFreePort()}`;
  const config = `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${join(directory, 'data')}}}
http: {addr: ${host}}
${more}`;
  await writeFile(join(directory, 'config.yml'), config);
  const registry = spawnChild(program, ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  const stop = async () => void (await endChild(registry));
  try {
    await until(async () => (await fetch(`http://${host}/v2/`)).status < 500, {
      what: `${program} to listen`,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
}

/** docker-registry does not say which port it took, so it is told one that was free just now. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
