import type { Screen } from './rollout/live-frame.ts';

/** Colours of a terminal, SGR. https://ecma-international.org/publications-and-standards/standards/ecma-48/ */
const GREEN = 32;
const YELLOW = 33;
const RED = 31;

/** Words of states, wherever they stand: the colour is beside the word, never instead of it. */
const COLOURS: readonly (readonly [RegExp, number])[] = [
  [/\b(Refused|Degraded|RolledBack|RollingBack|RollbackIncomplete|NotStarted|FAILED|Failed)\b/g, RED],
  [/\b(Disconnected|Stale|Paused|Aborted|Aborting|Superseded|Reverted|Inconclusive|NoPlace|NoV8)\b/g, YELLOW],
  [/\b(Succeeded|Accepted|Loaded|Connected)\b/g, GREEN],
];

/** The same text with its states coloured, for a terminal that shows colours; any other gets it as it is. */
export function paintStates(text: string, screen: Pick<Screen, 'hasColour'> | undefined): string {
  if (!screen?.hasColour) return text;
  return COLOURS.reduce((all, [words, colour]) => all.replace(words, `\x1b[${colour}m$1\x1b[0m`), text);
}
