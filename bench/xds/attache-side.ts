import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AttacheOptions, AttacheProcess } from '../../test/harness/attache-process.ts';
import { type FixtureModule, withSeed } from '../../test/harness/fixture-modules.ts';
import { until } from '../../test/harness/wait.ts';
import { WHOLE } from '../fresh-module.ts';
import { layColdModules } from './cold-modules.ts';
import { NODE_FLAGS, SERVER_CORE, type Side } from './side.ts';

const run = promisify(execFile);
const PLUGIN = 'bench';
/** A place that stands in the bootstrap, as with listeners that users keep themselves. */
const PLACE = 'attache.authn';
/** Makes one resource about 2 KB, as the other side's are. */
const PADDING = 'x'.repeat(1_300);

const OWN_TRANSPORT = [
  process.execPath,
  ...NODE_FLAGS,
  fileURLToPath(new URL('serve-own-transport.ts', import.meta.url)),
] as const;

export interface AttacheSideOptions {
  /** Of `attache serve`: limits that would slow down a fleet that connects at once. */
  readonly flags?: readonly string[];
  /** What the plugin is; by default the smallest there is. */
  readonly module?: FixtureModule;
  /** So many pushes bring a module each that no Envoy has; default none: what changes is the configuration. */
  readonly coldModules?: number;
  /** `bin/attache` of what users install; default: that of the clone. */
  readonly program?: string;
  /** Default `attache`. */
  readonly name?: 'attache' | 'attache-http2';
}

function toCommand(
  name: AttacheSideOptions['name'],
  program: string | undefined,
): Pick<AttacheOptions, 'command'> {
  if (name === 'attache-http2') return { command: OWN_TRANSPORT };
  return program === undefined ? {} : { command: [program] };
}

/**
 * `attache serve` as it is. What is pushed is a plugin's configuration: through the API, the store, the check of the
 * module, a rollout to all nodes at once and the compiler.
 */
export async function startAttache(
  options: AttacheSideOptions | readonly string[] = {},
): Promise<Side & { readonly modules: string }> {
  const {
    flags = [],
    module = withSeed(WHOLE, 'bench'),
    name = 'attache',
    coldModules = 0,
    program,
  } = 'length' in options ? { flags: options } : options;
  const attache = await AttacheProcess.start({
    flags: [...flags, '--log-level', 'warn'],
    ...toCommand(name, program),
  });
  try {
    await run('taskset', ['-acp', SERVER_CORE, String(attache.pid)]);
    const url = await attache.offer(module);
    const pushed = coldModules > 0 ? await layColdModules(join(attache.folder, 'modules'), coldModules) : url;
    const toSpec = (round: string, url: string) => ({
      url,
      phase: 'AUTHN',
      pluginConfig: { round, padding: PADDING },
      rollout: { preset: 'all-at-once' },
    });
    await attache.applyPlugin(PLUGIN, toSpec('none', url));
    await until(
      async () => (await attache.must('GET', `/v1/plugins/default/${PLUGIN}`)).status.phase === 'Succeeded',
      { what: 'the plugin to be ready' },
    );
    const body = join(attache.folder, 'push.json');
    const metadata = { name: PLUGIN, namespace: 'default' };
    await writeFile(
      body,
      JSON.stringify({ apiVersion: 'attache/v1', kind: 'Plugin', metadata, spec: toSpec('{round}', pushed) }),
    );
    return {
      name,
      address: attache.addresses.xds,
      modules: attache.addresses.modules,
      pid: attache.pid,
      resource: PLACE,
      trigger: `PUT ${attache.addresses.api}/v1/plugins/default/${PLUGIN} ${body}`,
      stop: () => attache.stop(),
    };
  } catch (error) {
    await attache.stop();
    throw error;
  }
}
