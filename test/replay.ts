/**
 * `npm run replay [-- --section A|B] [--screens]`: types what the stories of a newcomer (A) and of somebody on call (B)
 * show, on real programs, and compares what is printed with the screens of the stories. `--screens` prints ours, too.
 * The last line counts; the exit code is 0 only when nothing failed.
 */
import { parseArgs } from 'node:util';
import type { Desk } from './replay/desk.ts';
import { Laptop } from './replay/laptop.ts';
import { CHANGES } from './replay/newcomer-change-steps.ts';
import { START } from './replay/newcomer-start-steps.ts';
import { startNight } from './replay/on-call.ts';
import { FAILURES } from './replay/on-call-failure-steps.ts';
import { RECOVERY } from './replay/on-call-recovery-steps.ts';
import { type Done, runSection } from './replay/run-section.ts';
import type { Step } from './replay/step.ts';

interface Scene {
  readonly desk: Desk;
  stop(): Promise<void>;
}

const { values } = parseArgs({
  options: { section: { type: 'string' }, screens: { type: 'boolean', default: false } },
});
if (values.section !== undefined && !/^[AB]$/.test(values.section))
  throw new RangeError(`--section ${values.section}: expected A or B`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function replay<S extends Scene>(
  title: string,
  steps: readonly Step<S>[],
  open: () => Promise<S>,
): Promise<readonly Done[]> {
  say(`\n${title}\n`);
  const scene = await open();
  try {
    return await runSection(steps, scene, { say, screens: values.screens });
  } finally {
    await scene.stop();
  }
}

const done: Done[] = [];
const began = performance.now();
if (values.section !== 'B')
  done.push(
    ...(await replay('A. The newcomer: 30 minutes on a laptop', [...START, ...CHANGES], () => Laptop.open())),
  );
if (values.section !== 'A')
  done.push(
    ...(await replay(
      'B. On call, 03:00, 300 Envoys: 6 real, 294 modelled',
      [...FAILURES, ...RECOVERY],
      startNight,
    )),
  );
const failed = done.filter(({ isFailed }) => isFailed).length;
const differing = done.filter(({ isFailed, differs }) => !isFailed && differs).length;
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
say(`\n${done.length} steps, ${differing} differ (explained), ${failed} failed   in ${minutes} min`);
process.exit(failed === 0 ? 0 : 1);
