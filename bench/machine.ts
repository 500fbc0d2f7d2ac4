import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** What a run was made on, and of what. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** undefined: there is none. */
  readonly go: string | undefined;
  /** Of this repository; `+` behind it: with changes that are not committed. */
  readonly commit: string | undefined;
  /** When the run began, ISO 8601. */
  readonly at: string;
}

export async function readMachine(): Promise<Machine> {
  const changes = await firstLine('git', ['status', '--porcelain', '--untracked-files=no']);
  const commit = await firstLine('git', ['rev-parse', '--short', 'HEAD']);
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    go: (await firstLine('go', ['version']))?.split(' ')[2],
    commit: commit && (changes === undefined ? commit : `${commit}+`),
    at: new Date().toISOString(),
  };
}

/** `2 cores of AMD EPYC, 4 GiB, Linux 6.1.0, Node v26.10.0, go1.26.8; commit abc1234; 2026-01-01` */
export function formatMachine({ cores, cpu, memoryGiB, kernel, node, go, commit, at }: Machine): string {
  const made = [
    `${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, ${go ?? 'no Go'}`,
  ];
  if (commit !== undefined) made.push(`commit ${commit}`);
  return [...made, at.slice(0, 10)].join('; ');
}

async function firstLine(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: import.meta.dirname });
    return stdout.split('\n')[0] || undefined;
  } catch {
    return undefined;
  }
}
