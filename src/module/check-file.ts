import { createReadStream } from 'node:fs';
import type { CheckedRelease, CheckedRun, CheckFault, ModuleCheck } from '../model/module-check.ts';
import type { PluginDocument } from '../model/plugin-document.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import type { Clock } from '../model/ports.ts';
import { checkModule } from './check-module.ts';
import { checkConfig } from './config-schema/check-config.ts';
import { inspectBytes } from './inspect-module.ts';
import { ModuleError } from './module-error.ts';
import { judgeTrial } from './trial/judge-trial.ts';
import type { TrialResult } from './trial/trial-result.ts';
import { createTrialRunner, type TrialRunner } from './trial/trial-runner.ts';
import { toTrialInput } from './trial/try-plugin.ts';
import { unpackModule } from './unpack.ts';

export interface CheckFileRequest {
  /** A module, or an archive with one in it. */
  readonly path: string;
  /** What it is started with; its URL is not looked at. */
  readonly plugin: PluginDocument;
  /** `1.36.2`; none: the newest that is known. */
  readonly envoyVersions: readonly string[];
  readonly clock: Clock;
}

/**
 * All that the server does with a module before an Envoy gets it, on this machine: static checks, the schema of its
 * configuration, and a trial run as each of the releases. Throws the fault of the file system, and `trial-not-run`.
 */
export async function checkFile({
  path,
  plugin,
  envoyVersions,
  clock,
}: CheckFileRequest): Promise<ModuleCheck> {
  const runner = createTrialRunner({ clock });
  try {
    const bytes = await readModule(path);
    const spec = { ...plugin, createdAt: 0 };
    const module = inspectBytes(bytes.module, bytes.layout);
    const releases: CheckedRelease[] = [];
    for (const envoyVersion of envoyVersions.length === 0 ? [''] : envoyVersions)
      releases.push(await checkRelease(bytes.module, spec, envoyVersion, runner));
    return { name: path, module, releases };
  } catch (error) {
    if (!(error instanceof ModuleError) || error.transient) throw error;
    return { name: path, fault: toFault(error), releases: [] };
  } finally {
    await runner.close();
  }
}

async function readModule(path: string): Promise<{ readonly module: Uint8Array; readonly layout: string }> {
  const unpacked = await unpackModule(createReadStream(path));
  if (unpacked !== undefined)
    return { module: unpacked.bytes, layout: unpacked.found === 'plain' ? 'plain' : 'archive' };
  throw new ModuleError('no-module', `${path}: the archive holds no plugin.wasm and no other *.wasm`, {
    hint: 'Name the .wasm file.',
  });
}

async function checkRelease(
  bytes: Uint8Array,
  spec: PluginSpec,
  envoyVersion: string,
  runner: TrialRunner,
): Promise<CheckedRelease> {
  const targets = envoyVersion === '' ? [] : [{ envoyVersion, nodes: ['--envoy'] }];
  let run: CheckedRun | undefined;
  try {
    checkModule(bytes, targets);
    checkConfig(bytes, spec);
    const result = await runner.run(bytes, toTrialInput(spec, targets));
    run = toRun(result);
    const { outcome } = judgeTrial(result);
    if (outcome === 'ok') return { envoyVersion, result: 'accepted', run };
    return { envoyVersion, result: 'unsure', reason: result.reason, run };
  } catch (error) {
    if (!(error instanceof ModuleError) || error.transient) throw error;
    return { envoyVersion, result: 'refused', fault: toFault(error), ...(run === undefined ? {} : { run }) };
  }
}

function toRun({ logs, hasMoreLogs, tookMs, wanted, unknowable, leaving }: TrialResult): CheckedRun {
  return { logs, hasMoreLogs, tookMs, wanted: { ...wanted }, unknowable, leaving };
}

function toFault({ code, message, hint, faults }: ModuleError): CheckFault {
  return { code, message, ...(hint === undefined ? {} : { hint }), faults };
}
