import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What one run of a command took, everything that it started and waited for included. */
export interface CommandCost {
  /** User and system time. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Resident memory of the biggest of its processes at its highest, MiB. */
  readonly peakMiB: number;
}

/** Node tells nobody what its children took; wait4(2) does. A process of the measure's own each time, for its peak. */
const MEASURE = `
import json, resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"code": done.returncode, "err": done.stderr.decode(errors="replace")[-2000:],
  "cpuMs": (used.ru_utime + used.ru_stime) * 1000, "wallMs": wall * 1000, "peakMiB": used.ru_maxrss / 1024}))
`;

/** Runs it to its end. Throws what it complained of unless it succeeds. */
export async function measureCommand(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandCost> {
  const { stdout } = await promisify(execFile)('python3', ['-c', MEASURE, ...command], {
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  const { code, err, ...cost } = JSON.parse(stdout) as CommandCost & { code: number; err: string };
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${err}`);
  return cost;
}
