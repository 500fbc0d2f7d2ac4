import type { Meter } from '../../model/meter.ts';
import type { TrialRunner } from './trial-runner.ts';

/** Times trial runs, from the wish for one to its end: those that somebody gave up have no result. */
export function meterTrials(runner: TrialRunner, meter: Pick<Meter, 'tried' | 'start'>): TrialRunner {
  return {
    async run(module, input, signal) {
      const read = meter.start();
      const result = await runner.run(module, input, signal);
      meter.tried(result.outcome, read());
      return result;
    },
    close: () => runner.close(),
  };
}
