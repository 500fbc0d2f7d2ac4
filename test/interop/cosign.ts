import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeDirectory } from '../module/actors.ts';
import { COSIGN, COSIGN_2, findGoTool, type GoTool } from './go-tools.ts';

export interface Cosign {
  /** As it calls itself, `v3.1.2`. */
  readonly version: string;
  readonly path: string;
}

/** Each way of signing that this version has, with what `cosign sign` and `cosign verify` are told. */
export interface SigningMode {
  readonly name: string;
  readonly options: readonly string[];
  readonly verifyOptions: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface FoundCosign {
  readonly version: string;
  /** Undefined: it cannot be had, and the test is skipped. */
  find(t: TestContext): Promise<Cosign | undefined>;
}

/** `$ATTACHE_COSIGN` (paths, joined as in PATH), else `cosign` on the PATH, else those that are built. */
export function listCosigns(): readonly FoundCosign[] {
  const named = (process.env.ATTACHE_COSIGN ?? '').split(delimiter).filter(path => path !== '');
  const onPath = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'cosign'));
  const paths = named.length > 0 ? named : onPath.filter(existsSync).slice(0, 1);
  const found = paths.map(path => {
    const { gitVersion } = JSON.parse(execFileSync(path, ['version', '--json'], { encoding: 'utf8' }));
    const cosign = { version: String(gitVersion), path };
    return { version: cosign.version, find: async () => cosign };
  });
  const built = [COSIGN, COSIGN_2].map(tool => ({
    version: tool.version,
    find: (t: TestContext) => findBuilt(t, tool),
  }));
  return found.length > 0 ? found : built;
}

async function findBuilt(t: TestContext, tool: GoTool): Promise<Cosign | undefined> {
  const path = await findGoTool(t, tool);
  return path === undefined ? undefined : { version: tool.version, path };
}

/** Without Rekor, which is not here. */
export function signingModes({ version }: Pick<Cosign, 'version'>): readonly SigningMode[] {
  const noLog = '--tlog-upload=false';
  const noRoot = ['--trusted-root', 'no-root.json'];
  if (version.startsWith('v2.'))
    return [
      { name: 'tag', options: [noLog], verifyOptions: [] },
      {
        name: 'bundle',
        options: ['--new-bundle-format', noLog],
        verifyOptions: ['--new-bundle-format', ...noRoot],
      },
      {
        name: 'referrer',
        options: ['--registry-referrers-mode', 'oci-1-1', noLog],
        verifyOptions: ['--experimental-oci11'],
        env: { COSIGN_EXPERIMENTAL: '1' },
      },
    ];
  return [
    {
      name: 'bundle',
      options: ['--signing-config', 'no-services.json', ...noRoot],
      verifyOptions: noRoot,
    },
    {
      name: 'tag',
      options: ['--new-bundle-format=false', '--use-signing-config=false', noLog],
      verifyOptions: ['--new-bundle-format=false'],
    },
  ];
}

/** A directory with key pairs of cosign's own making, and runs of it there. */
export class CosignDesk {
  readonly directory: string;
  readonly #cosign: Cosign;

  private constructor(cosign: Cosign, directory: string) {
    this.#cosign = cosign;
    this.directory = directory;
  }

  static async open(t: TestContext, cosign: Cosign): Promise<CosignDesk> {
    const desk = new CosignDesk(cosign, await makeDirectory(t));
    if (!cosign.version.startsWith('v2.'))
      await desk.run(['signing-config', 'create', '--out', 'no-services.json']);
    await desk.run(['trusted-root', 'create', '--out', 'no-root.json']);
    return desk;
  }

  /** Writes NAME.key and NAME.pub, ECDSA P-256. */
  async generateKey(name: string): Promise<void> {
    await this.run(['generate-key-pair', '--output-key-prefix', name]);
  }

  sign(key: string, reference: string, mode: SigningMode): Promise<void> {
    const args = [
      'sign',
      '--yes',
      '--key',
      `${key}.key`,
      ...mode.options,
      '--allow-http-registry',
      reference,
    ];
    return this.run(args, mode.env);
  }

  /** That cosign itself finds what it signed in this registry. */
  verify(key: string, reference: string, mode: SigningMode): Promise<void> {
    const args = ['verify', '--key', `${key}.pub`, '--insecure-ignore-tlog=true', '--allow-http-registry'];
    return this.run([...args, ...mode.verifyOptions, reference], mode.env);
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = {
        cwd: this.directory,
        timeout: 60_000,
        env: { PATH: process.env.PATH ?? '', HOME: this.directory, COSIGN_PASSWORD: '', ...env },
      };
      execFile(this.#cosign.path, args, options, (error, _stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(`cosign ${args.join(' ')}: ${stderr}`));
      });
    });
  }
}
