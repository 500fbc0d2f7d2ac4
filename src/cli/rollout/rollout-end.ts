import type { NextCommand, RolloutView } from '../../api/schema/rollout-view.ts';
import { EXIT } from '../exit-code.ts';

/**
 * The exit code that a rollout's state stands for. A rollout that is still under way is a time-out: whoever asks has
 * waited as long as he wanted to.
 */
export function toRolloutExitCode({ phase, waitsForPerson }: RolloutView): number {
  switch (phase) {
    case 'Succeeded':
      return EXIT.done;
    case 'NotStarted':
      return EXIT.error;
    case 'RolledBack':
    case 'Aborted':
    case 'RollbackIncomplete':
    case 'Superseded':
    case 'Reverted':
      return EXIT.refused;
    case 'Validating':
    case 'Progressing':
    case 'Paused':
    case 'Baking':
    case 'RollingBack':
      return waitsForPerson ? EXIT.waitsForPerson : EXIT.timeout;
    default:
      return phase satisfies never;
  }
}

/** Nothing more will be seen of it without a person. */
export function isOver(view: RolloutView): boolean {
  return !view.active || view.waitsForPerson;
}

/** Where the cause is, and the end in one sentence. */
export function describeEnd(view: RolloutView): readonly string[] {
  return [...view.cause, ...(view.outcome === null ? [] : [view.outcome])];
}

/** `next: attache rollout retry auth   to try it again` */
export function describeNext({ next }: { readonly next: readonly NextCommand[] }): readonly string[] {
  const width = Math.max(0, ...next.map(({ command }) => command?.length ?? 0));
  return next.map(({ command, text }, i) => {
    const line = command === null ? text : `${command.padEnd(width)}   ${text}`;
    return `${i === 0 ? 'next: ' : '      '}${line}`.trimEnd();
  });
}
