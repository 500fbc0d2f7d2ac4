import type { Desk, Typed } from './desk.ts';

/**
 * A line of a screen of the stories. What it says is expected word for word; figures, times, digests, names of nodes and
 * paths may be others, and how wide a gap is (compare.ts).
 */
export type ScreenLine = string | Difference;

/** A line that we print otherwise, or not at all. */
export interface Difference {
  readonly screen: string;
  /** What we print in its place; null: nothing, on purpose. */
  readonly ours: RegExp | null;
  /** A sentence for who reads the replay. */
  readonly because: string;
}

/** What must be so after a step, beside what it printed: a sentence, and whether it is. */
export interface Check {
  readonly what: string;
  readonly isSo: boolean;
  /** What was seen instead. */
  readonly seen?: string;
}

/** What somebody does in one of the stories, and what is to come of it. */
export interface Step<Scene extends { readonly desk: Desk }> {
  /** Of the story: `B1`. */
  readonly story: string;
  /** What happens, in a few words. */
  readonly title: string;
  /** The command as the story shows it; empty: nothing is typed, somebody looks. */
  readonly types: string;
  /** Does it; by default `types` is typed. */
  readonly act?: (scene: Scene) => Promise<Typed>;
  /** Its exit code; undefined: the story shows none, and none is promised. */
  readonly exit?: number;
  readonly screen: readonly ScreenLine[];
  readonly checks?: (scene: Scene, typed: Typed) => Promise<readonly Check[]> | readonly Check[];
  /** What was done otherwise than in the story. */
  readonly otherwise?: readonly string[];
}
