import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { toMessage } from '../../model/error.ts';
import { probe } from './address.ts';
import { type Finding, ok, problem, type Report, warning } from './finding.ts';
import { judgeBootstrap } from './judge-bootstrap.ts';
import { readBootstrap } from './read-bootstrap.ts';

const run = promisify(execFile);
const OURS: readonly string[] = ['attache_xds', 'attache_modules'];

/** The file of a bootstrap: its text, where it is on disk, and an Envoy to ask for its own judgement. */
export interface BootstrapToExamine {
  readonly name: string;
  readonly text: string;
  /** Undefined: it came by stdin. */
  readonly path: string | undefined;
  /** Of an Envoy program; undefined: there is none on this machine. */
  readonly envoy: string | undefined;
}

/** Reads a bootstrap, tries the way to Attaché from here, and has an Envoy validate it where there is one. */
export async function examineBootstrap(file: BootstrapToExamine): Promise<Report> {
  return { about: `bootstrap ${file.name}`, findings: await examine(file) };
}

async function examine({ text, path, envoy }: BootstrapToExamine): Promise<readonly Finding[]> {
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error' });
  } catch (error) {
    return [problem('not-yaml', `neither YAML nor JSON: ${toMessage(error).split('\n')[0]}`)];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [problem('not-bootstrap', 'no Envoy bootstrap: it holds no map')];
  const reading = readBootstrap(value);
  const addresses = reading.clusters.flatMap(one =>
    OURS.includes(one.name) && one.address !== undefined ? [{ name: one.name, address: one.address }] : [],
  );
  const probes = await Promise.all(
    addresses.map(async one => toProbeFinding(one.name, one.address, await probe(one.address))),
  );
  const own = envoy !== undefined && path !== undefined ? [await validate(envoy, path)] : [];
  return [...judgeBootstrap(reading), ...probes, ...own];
}

/** From this machine, which need not be the Envoy's. */
function toProbeFinding(cluster: string, address: string, why: string | undefined): Finding {
  return why === undefined
    ? ok('reachable', `${cluster} at ${address} answers`)
    : warning(
        'unreachable',
        `${cluster} at ${address} does not answer from here (${why}): start Attaché there, or correct the address`,
      );
}

async function validate(envoy: string, path: string): Promise<Finding> {
  try {
    await run(envoy, ['--mode', 'validate', '-c', path]);
    return ok('valid', `${envoy} takes it`);
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : toMessage(error);
    const lines = text.trim().split('\n');
    const last = lines.findLast(line => line.includes('[critical]')) ?? lines.at(-1) ?? '';
    return problem('envoy-refuses', `${envoy} does not take it: ${last.replace(/^(\[[^\]]*\] ?)+/, '')}`);
  }
}
