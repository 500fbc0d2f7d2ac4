import type { RolloutView } from '../../api/schema/rollout-view.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatClock } from '../format.ts';
import { LiveFrame } from './live-frame.ts';
import { describeChanges, describeLast } from './rollout-changes.ts';
import { toRolloutExitCode } from './rollout-end.ts';
import { drawRollout } from './rollout-tree.ts';
import type { Moment } from './watch-rollout.ts';

/** Where the moments of a rollout are shown. */
interface Display {
  show(view: RolloutView): void;
  /** A line that is no part of the rollout, e.g. that the server is lost. */
  note(line: string): void;
  end(view: RolloutView): void;
}

/** Draws a rollout until it is over; answers the last look at it and the exit code. */
export async function showRollout(
  moments: AsyncIterable<Moment>,
  server: string,
  context: CommandContext,
): Promise<{ readonly view: RolloutView | undefined; readonly code: number }> {
  const display = context.screen === undefined ? toLog(context) : toLiveTree(new LiveFrame(context.screen));
  let view: RolloutView | undefined;
  for await (const moment of moments) {
    switch (moment.kind) {
      case 'view':
        view = moment.view;
        display.show(view);
        break;
      case 'lost':
        display.note(`lost ${server}, trying again`);
        break;
      case 'connected':
        display.note('connected again');
        break;
      case 'timeout':
        display.note('the time to wait is over; the rollout goes on');
        return { view, code: EXIT.timeout };
      default:
        moment satisfies never;
    }
  }
  if (view === undefined) return { view, code: EXIT.error };
  display.end(view);
  return { view, code: toRolloutExitCode(view) };
}

function toLiveTree(frame: LiveFrame): Display {
  return {
    show: view => frame.draw(drawRollout(view, Date.now())),
    note: line => frame.print(`${formatClock(Date.now(), Date.now())} ${line}`),
    end: () => undefined,
  };
}

/** A line per change, each with the time. */
function toLog(context: CommandContext): Display {
  let before: RolloutView | undefined;
  const note = (line: string) => context.out(`${formatClock(Date.now(), Date.now())} ${line}`);
  return {
    show(view) {
      // One that took over begins a story of its own.
      const known = before?.id === view.id ? before : undefined;
      for (const line of describeChanges(known, view, Date.now())) note(line);
      before = view;
    },
    note,
    end(view) {
      const last = describeLast(view, Date.now());
      if (last.length > 0) context.out(last.join('\n'));
    },
  };
}
