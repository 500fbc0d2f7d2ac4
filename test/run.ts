/**
 * `npm test`: unit tests (offline, fast), then simulated rollouts, integration, and e2e with real Envoys.
 *
 *     node test/run.ts [unit|simulation|integration|e2e|interop …] [path filter…]
 *
 * Ends with one line `N passed, N failed` over everything; the exit code is 0 only when something ran and
 * nothing failed. A process that a test left running is a failure, and is ended.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type RunOptions, run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { E2E_VERSIONS, envoyBinary } from './harness/envoy-binary.ts';
import { findLeftProcesses, markRun } from './harness/left-processes.ts';

/**
 * `timeoutMs` is for one test that sets none of its own. When a minute more goes by in which no test begins or
 * ends (a file leaves something open, and would never end), all that still runs is ended and has failed.
 * `inShared`: files share two processes; where a filter chose them, each has a process of its own all the same.
 */
interface Phase {
  readonly name: string;
  readonly timeoutMs: number;
  readonly needsEnvoy: boolean;
  readonly inShared: boolean;
}

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const PHASES: readonly Phase[] = [
  { name: 'unit', timeoutMs: 60_000, needsEnvoy: false, inShared: true },
  { name: 'simulation', timeoutMs: 120_000, needsEnvoy: false, inShared: false },
  { name: 'integration', timeoutMs: 180_000, needsEnvoy: true, inShared: false },
  { name: 'e2e', timeoutMs: 600_000, needsEnvoy: true, inShared: false },
  { name: 'interop', timeoutMs: 600_000, needsEnvoy: false, inShared: false },
];
const DEFAULT_PHASES = ['unit', 'simulation', 'integration', 'e2e'];
const PROCESSES = Math.min(2, availableParallelism());
/** Those with Envoys wait more than they work. */
const PROCESSES_THAT_WAIT = PROCESSES + 1;
const LOADER = 'test/harness/load-tests.ts';
/** What depends on the form of xDS runs once more in the state of the world, on the newest Envoy only: the time is short. */
const IN_BOTH_FORMS =
  /^test\/e2e\/(lifecycle\/(attache-restart|changes|envoy-restart)|traps\/(equal-bytes|late-first|slot-added|two-resources))/;
/** A minute and more each: they begin first, so that at the end of a phase all processes have something to do. */
const LONG =
  /^test\/(e2e\/(kill\/kill|lifecycle\/(attache-restart|changes|refuse)|rollouts\/(broken|placement|newcomer)|loaded|trial-agreement)|integration\/(docs-commands|cli-rollout|fuzz|package)\.)/;
/**
 * Unit tests that cost more than the others, seconds of CPU in a process with many. Shared out by turns alone, one process had 35 s of
 * work and the other 20, and by the size of files no less; so 28 and 25.
 */
const COSTLY: ReadonlyMap<string, number> = new Map([
  ['test/module/trial/stream/host-streams.test.ts', 7],
  ['test/module/trial/host-calls.test.ts', 6],
  ['test/module/outside-bytes.test.ts', 4.9],
  ['test/rollout/rollout-controller.test.ts', 2.4],
  ['test/rollout/begin-rollout.test.ts', 2.1],
  ['test/module/module-outline.test.ts', 1.9],
  ['test/rollout/take-intent.test.ts', 1.7],
  ['test/compile/rollout-snapshots.test.ts', 1.7],
]);
const USUAL_S = 0.12;
/** As bin/attache starts Node. */
const EXEC_ARGV = ['--disable-warning=ExperimentalWarning'];
const OWN_FOLDERS = /^test\/(simulation|integration|e2e|interop)\//;

const root = fileURLToPath(new URL('..', import.meta.url));
const interrupted = new AbortController();

async function main(args: readonly string[]): Promise<number> {
  process.chdir(root);
  markRun();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const chosen = args.filter(arg => PHASES.some(phase => phase.name === arg));
  const filters = args.filter(arg => !chosen.includes(arg));
  const names = chosen.length > 0 ? chosen : DEFAULT_PHASES;
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const phase of PHASES.filter(one => names.includes(one.name))) {
    if (interrupted.signal.aborted) break;
    await runPhase(phase, filters, total);
  }
  await endLeftProcesses(total);
  if (interrupted.signal.aborted) total.failed++;
  if (total.skipped > 0) say(`${total.skipped} skipped`);
  if (total.passed + total.failed === 0) say('no test ran');
  say(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runPhase(phase: Phase, filters: readonly string[], total: Tally): Promise<void> {
  const files = findFiles(phase.name, filters);
  if (files.length === 0) return;
  say(`\n— ${phase.name}: ${files.length} files\n`);
  if (phase.needsEnvoy && !(await haveEnvoys())) {
    say(`the ${phase.name} tests did not run`);
    total.failed++;
    return;
  }
  const isShared = phase.inShared && filters.length === 0;
  const concurrency = phase.needsEnvoy ? PROCESSES_THAT_WAIT : PROCESSES;
  await runFiles(isShared ? share(files) : [{ files, concurrency }], phase, total);
  const again = files.filter(path => IN_BOTH_FORMS.test(path));
  if (again.length === 0 || process.env.ATTACHE_XDS_FORM !== undefined || interrupted.signal.aborted) return;
  say(`\n— ${phase.name}, in the state of the world: ${again.length} files\n`);
  const env = { ...process.env, ATTACHE_XDS_FORM: 'sotw' };
  const testSkipPatterns = E2E_VERSIONS.slice(1).map(version => `Envoy ${version}`);
  await runFiles([{ files: again, concurrency, env, testSkipPatterns }], phase, total);
}

/** Test files of a phase; with filters those whose path contains one of them. */
function findFiles(phase: string, filters: readonly string[]): string[] {
  const all = globSync('test/**/*.test.ts', { exclude: ['**/node_modules/**'] }).map(path =>
    path.replaceAll('\\', '/'),
  );
  const own = all.filter(path => (OWN_FOLDERS.exec(path)?.[1] ?? 'unit') === phase);
  const chosen = own.filter(path => filters.length === 0 || filters.some(text => path.includes(text))).sort();
  return [...chosen.filter(path => LONG.test(path)), ...chosen.filter(path => !LONG.test(path))];
}

async function haveEnvoys(): Promise<boolean> {
  try {
    for (const version of E2E_VERSIONS) await envoyBinary(version);
    return true;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && 'hint' in error && error.hint) say(String(error.hint));
    return false;
  }
}

/** A process each for as much work. */
function share(files: readonly string[]): RunOptions[] {
  const shares = Array.from({ length: PROCESSES }, () => ({ own: [] as string[], costS: 0 }));
  const costed = files.map(path => ({ path, costS: COSTLY.get(path) ?? USUAL_S }));
  for (const { path, costS } of costed.sort((a, b) => b.costS - a.costS)) {
    const least = shares.reduce((a, b) => (b.costS < a.costS ? b : a));
    least.own.push(path);
    least.costS += costS;
  }
  return shares.map(({ own }) => ({ files: [LOADER], argv: own.sort() }));
}

/** All at the same time; what they report is printed one after the other. */
async function runFiles(runs: readonly RunOptions[], phase: Phase, total: Tally): Promise<void> {
  const stuck = new AbortController();
  const watchdog = setTimeout(() => stuck.abort(), phase.timeoutMs + 60_000);
  const signal = AbortSignal.any([interrupted.signal, stuck.signal]);
  const reports = runs.map(options => {
    const events = run({ ...options, execArgv: EXEC_ARGV, timeout: phase.timeoutMs, signal });
    for (const name of ['test:start', 'test:complete'] as const) events.on(name, () => watchdog.refresh());
    count(events, total);
    return events.compose(new spec());
  });
  for (const report of reports) for await (const chunk of report) process.stdout.write(chunk);
  clearTimeout(watchdog);
  if (!stuck.signal.aborted) return;
  say(`no ${phase.name} test began or ended for too long: what still ran was ended`);
  if (phase.inShared) say('`npm test -- unit test/` gives each file a process of its own: it names the file');
  total.failed++;
}

function count(events: ReturnType<typeof run>, total: Tally): void {
  events.on('test:pass', event => {
    if (event.details.type === 'suite' || isFile(event)) return;
    if (event.skip || event.todo) total.skipped++;
    else total.passed++;
  });
  events.on('test:fail', event => {
    // A failed file with failed tests inside is told by those; alone it crashed, hung or could not load.
    if (event.details.type === 'suite' || (isFile(event) && wasToldInside(event.details.error))) return;
    if (event.todo) total.skipped++;
    else total.failed++;
  });
}

/** The runner reports each file as a test of its own, named by its path. */
function isFile(event: { nesting: number; name: string }): boolean {
  return event.nesting === 0 && (event.name.endsWith('.test.ts') || event.name.endsWith(LOADER));
}

function wasToldInside(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed';
}

async function endLeftProcesses(total: Tally): Promise<void> {
  const left = await findLeftProcesses();
  for (const { pid, command } of left) {
    say(`left running and ended now: ${pid} ${command}`);
    process.kill(pid, 'SIGKILL');
  }
  if (left.length > 0) total.failed++;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
