import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { checkModule } from '../../src/module/check-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { createTrialRunner, type TrialInput, type TrialRunner } from '../../src/module/trial/trial-runner.ts';
import { systemClock } from '../module/actors.ts';
import { stopAfter } from './cleanup.ts';
import { envoyBinary } from './envoy-binary.ts';

/** A module with the configuration that it is started with. */
export interface AgreementCase {
  readonly name: string;
  /** What made the bytes, its release behind a space: `AssemblyScript 0.28.20`. */
  readonly toolchain: string;
  /** Whose code it is: of this project, or of somebody who did not know of it. */
  readonly author: 'ours' | 'others';
  readonly bytes: Uint8Array;
  /** Default: none. */
  readonly pluginConfig?: string;
  readonly pluginName?: string;
  readonly env?: TrialInput['env'];
}

/**
 * What an Envoy does with a module at `--mode validate`, in which it compiles, links, starts and configures it.
 * `dead`: it takes the module, and the VM has trapped, so that every request would fail. `crashes`: Envoy itself.
 */
export type EnvoyAnswer = 'loads' | 'dead' | 'refuses' | 'crashes';

/** What we say. `unsure`: it asked for what only a node knows, and an Envoy must decide. */
export type OurAnswer = 'loads' | 'unsure' | 'refuses' | 'traps';

export interface Judges {
  askEnvoy(one: AgreementCase, version: string): Promise<Told<EnvoyAnswer>>;
  askUs(one: AgreementCase, version: string): Promise<Told<OurAnswer> & { readonly why: string }>;
}

interface Told<Answer> {
  readonly answer: Answer;
  /** It was taken, and traps when it is to go. */
  readonly failsLeaving: boolean;
}

/** Whether the two say the same of a module; nobody is held to what only a node can know. */
export function isAgreed(ours: OurAnswer, envoy: EnvoyAnswer): boolean {
  switch (ours) {
    case 'loads':
      return envoy === 'loads';
    case 'refuses':
      return envoy === 'refuses';
    case 'traps':
      return envoy !== 'loads';
    case 'unsure':
      return envoy === 'loads' || envoy === 'refuses';
    default:
      return ours satisfies never;
  }
}

/** What came of comparing: how many cases Envoy loaded and how many not, and which we were unsure of. */
export interface Agreement {
  readonly loaded: number;
  readonly refused: number;
  readonly unsure: readonly string[];
}

/** Asks both sides about every case, and fails with the list of those where they differ. */
export async function assertAgreement(
  t: TestContext,
  cases: readonly AgreementCase[],
  version: string,
): Promise<Agreement> {
  const judges = await makeJudges(t);
  const differing: string[] = [];
  const unsure: string[] = [];
  let loaded = 0;
  for (const one of cases) {
    const asked = [judges.askUs(one, version), judges.askEnvoy(one, version)] as const;
    // An answer that fails is told when nothing runs any more.
    await Promise.allSettled(asked);
    const [{ answer, why, failsLeaving }, { answer: envoy, ...of }] = await Promise.all(asked);
    const line = `${one.name} (${one.toolchain}, ${one.bytes.length} bytes): we ${answer}, Envoy ${envoy}  ${why}`;
    t.diagnostic(line);
    if (!isAgreed(answer, envoy)) differing.push(line);
    if (answer === 'loads' && failsLeaving !== of.failsLeaving)
      differing.push(`${line}; that it cannot leave says only ${failsLeaving ? 'our host' : 'Envoy'}`);
    if (answer === 'unsure') unsure.push(one.name);
    if (envoy === 'loads') loaded++;
  }
  assert.deepEqual(differing, []);
  return { loaded, refused: cases.length - loaded, unsure };
}

async function makeJudges(t: TestContext): Promise<Judges> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-agreement-'));
  const runner = createTrialRunner({ clock: systemClock });
  stopAfter(t, {
    async stop() {
      await runner.close();
      await rm(folder, { recursive: true, force: true });
    },
  });
  return {
    askEnvoy: (one, version) => askEnvoy(one, version, folder),
    askUs: (one, version) => askUs(one, version, runner),
  };
}

async function askUs(one: AgreementCase, envoyVersion: string, runner: TrialRunner) {
  try {
    checkModule(one.bytes, [{ envoyVersion, nodes: ['it'] }]);
    const { pluginConfig = '', pluginName = '', env = [] } = one;
    const input = { envoyVersion, plugin: PLUGIN, pluginConfig, pluginName, env };
    const { outcome, reason, logs, unknowable, leaving } = await runner.run(one.bytes, input);
    const why = [reason, ...logs.slice(-1).map(({ message }) => message), leaving].join(' | ');
    return { answer: toAnswer(outcome, unknowable.length > 0, why), why, failsLeaving: leaving !== '' };
  } catch (error) {
    if (error instanceof ModuleError)
      return { answer: 'refuses' as const, why: error.code, failsLeaving: false };
    throw error;
  }
}

function toAnswer(outcome: string, asksNode: boolean, why: string): OurAnswer {
  if (outcome === 'unsure') return 'unsure';
  if (outcome === 'ok') return asksNode ? 'unsure' : 'loads';
  if (outcome === 'trapped') return 'traps';
  assert.ok(['refused', 'broken', 'out-of-memory'].includes(outcome), `${outcome}: ${why}`);
  return 'refuses';
}

const PLUGIN = 'default/it';
/** These two are how Envoy takes its leave of a plugin that it had taken. */
const TRAPS_LEAVING = /Function: proxy_on_(?:done|delete) failed/;
const TRAPS_IN_LIFE = /Function: (?!proxy_on_(?:done|delete) )\S+ failed/;

async function askEnvoy(one: AgreementCase, version: string, folder: string): Promise<Told<EnvoyAnswer>> {
  const program = await envoyBinary(version);
  const wasm = join(folder, 'module.wasm');
  const bootstrap = join(folder, 'envoy.json');
  await writeFile(wasm, one.bytes);
  await writeFile(bootstrap, JSON.stringify(toBootstrap(one, wasm)));
  const { code, signal, log } = await validate(program, bootstrap);
  const failsLeaving = code === 0 && TRAPS_LEAVING.test(log);
  if (signal !== null) return { answer: 'crashes', failsLeaving };
  if (code === 0) return { answer: TRAPS_IN_LIFE.test(log) ? 'dead' : 'loads', failsLeaving };
  assert.match(log, /[Ww]asm/, 'Envoy complains of the plugin, and of nothing else');
  return { answer: 'refuses', failsLeaving };
}

/** Envoy compiles 24 MB of Go for a minute on two free cores. */
const LIMIT_MS = 600_000;

function validate(program: string, bootstrap: string) {
  const args = ['--mode', 'validate', '-c', bootstrap, '--log-level', 'error'];
  return new Promise<{ code: number | null; signal: string | null; log: string }>((resolve, reject) => {
    execFile(program, args, { timeout: LIMIT_MS, maxBuffer: 64 << 20, env: {} }, (error, _out, log) => {
      if (error === null) return resolve({ code: 0, signal: null, log });
      if (error.killed === true) return reject(new Error(`Envoy took too long: ${log.slice(-1000)}`));
      resolve({
        code: typeof error.code === 'number' ? error.code : null,
        signal: error.signal ?? null,
        log,
      });
    });
  });
}

function toBootstrap({ pluginConfig, pluginName, env = [] }: AgreementCase, filename: string): object {
  const typed = (name: string, type: string, more: object = {}) => ({
    name,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.${type}`, ...more },
  });
  const inline = env.filter(({ valueFrom }) => valueFrom !== 'HOST');
  const host = env.filter(({ valueFrom }) => valueFrom === 'HOST');
  const config = {
    name: PLUGIN,
    root_id: pluginName ?? '',
    ...(pluginConfig === undefined
      ? {}
      : {
          configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: pluginConfig },
        }),
    vm_config: {
      vm_id: 'it',
      runtime: 'envoy.wasm.runtime.v8',
      code: { local: { filename } },
      environment_variables: {
        host_env_keys: host.map(({ name }) => name),
        key_values: Object.fromEntries(inline.map(({ name, value = '' }) => [name, value])),
      },
    },
  };
  const hcm = typed('hcm', 'network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'it',
    route_config: {},
    http_filters: [typed('wasm', 'http.wasm.v3.Wasm', { config }), typed('router', 'http.router.v3.Router')],
  });
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
  return {
    node: { id: 'it', cluster: 'it' },
    static_resources: { listeners: [{ name: 'it', address, filter_chains: [{ filters: [hcm] }] }] },
  };
}
