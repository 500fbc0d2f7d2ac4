import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A foreign program that is built from a Go module. */
export interface GoTool {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** Of the module. */
  readonly package: string;
  /** The oldest Go that builds it. */
  readonly go: string;
}

export const ORAS: GoTool = {
  name: 'oras',
  module: 'oras.land/oras',
  version: 'v1.3.3',
  package: 'cmd/oras',
  go: '1.25.7',
};
export const CRANE: GoTool = {
  name: 'crane',
  module: 'github.com/google/go-containerregistry',
  version: 'v0.21.9',
  package: 'cmd/crane',
  go: '1.25.0',
};
export const DISTRIBUTION: GoTool = {
  name: 'registry',
  module: 'github.com/distribution/distribution/v3',
  version: 'v3.1.1',
  package: 'cmd/registry',
  go: '1.25.0',
};

export const GRPCURL: GoTool = {
  name: 'grpcurl',
  module: 'github.com/fullstorydev/grpcurl',
  version: 'v1.9.4',
  package: 'cmd/grpcurl',
  go: '1.25.0',
};

export const COSIGN: GoTool = {
  name: 'cosign',
  module: 'github.com/sigstore/cosign/v3',
  version: 'v3.1.2',
  package: 'cmd/cosign',
  go: '1.26.0',
};
/** Many still sign with it: it has modes of its own. */
export const COSIGN_2: GoTool = {
  name: 'cosign',
  module: 'github.com/sigstore/cosign/v2',
  version: 'v2.6.4',
  package: 'cmd/cosign',
  go: '1.25.0',
};

/** Beside the Envoys: a build is made once. */
const CACHE = fileURLToPath(new URL('../../.cache/go-tools', import.meta.url));
const BUILD_MS = 20 * 60_000;
const builds = new Map<string, Promise<string>>();

/**
 * The path of a tool, built from Go's module proxy where it was not yet. Without a Go that can build it, or where
 * `$ATTACHE_NO_BUILDS` is 1, the test is skipped, and says that it was not run; a build that fails is a failure.
 */
export async function findGoTool(t: TestContext, tool: GoTool): Promise<string | undefined> {
  const found = await locateGoTool(tool);
  if ('missing' in found) {
    t.skip(`not run: ${found.missing}`);
    return undefined;
  }
  return found.path;
}

/** The same outside a test; `missing` says why it cannot be had. */
export async function locateGoTool(
  tool: GoTool,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  const missing = await findMissing(tool);
  if (missing !== undefined) return { missing };
  const key = toProgram(tool.name, tool.version);
  const known = builds.get(key) ?? build(tool);
  builds.set(key, known);
  return { path: await known };
}

async function findMissing({ name, version, go }: GoTool): Promise<string | undefined> {
  if (existsSync(toProgram(name, version))) return undefined;
  if (process.env.ATTACHE_NO_BUILDS === '1')
    return `${name} was not built yet, and $ATTACHE_NO_BUILDS says not to`;
  if (!isInPath('go')) return `${name} is built with Go ${go} or later, which is not installed`;
  const { out } = await execute('go', ['env', 'GOVERSION'], tmpdir());
  const found = out.trim().replace(/^go/, '');
  return found.localeCompare(go, 'en', { numeric: true }) < 0
    ? `${name} is built with Go ${go} or later, and here is ${found}`
    : undefined;
}

function toProgram(name: string, version: string): string {
  return join(CACHE, `${name}-${version}`);
}

async function build({ name, module, version, package: path, go }: GoTool): Promise<string> {
  const program = toProgram(name, version);
  if (existsSync(program)) return program;
  const directory = await mkdtemp(join(tmpdir(), 'attache-go-'));
  try {
    const lines = ['module tools', '', `go ${go}`, '', `require ${module} ${version}`, ''];
    await writeFile(join(directory, 'go.mod'), lines.join('\n'));
    const built = join(directory, name);
    const args = ['build', '-mod=mod', '-o', built, `${module}/${path}`];
    const { code, err } = await execute('go', args, directory);
    if (code !== 0) throw new Error(`go ${args.join(' ')}: ${err}`);
    await mkdir(CACHE, { recursive: true });
    await rename(built, program).catch(() => execute('mv', [built, program], directory));
    return program;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a tool; throws with what it complained of unless it succeeds. */
export async function runTool(program: string, args: readonly string[], directory: string): Promise<string> {
  const { code, out, err } = await execute(program, args, directory);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${err}${out}`);
  return out;
}

/** No home of its own: it must find no credentials and leave no files. */
export function execute(
  program: string,
  args: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise(resolve => {
    const options = {
      cwd: directory,
      env: { ...process.env, DOCKER_CONFIG: directory, ...env },
      timeout: BUILD_MS,
      maxBuffer: 64 << 20,
    };
    execFile(program, args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1) || -1, out, err });
    });
  });
}

function isInPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(directory => existsSync(join(directory, name)));
}
