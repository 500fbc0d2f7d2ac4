import type { Typed } from './desk.ts';
import type { ScreenLine } from './step.ts';

/** A line of a story beside what was printed. */
export type Compared =
  | { readonly kind: 'same' }
  | { readonly kind: 'explained'; readonly screen: string; readonly ours: string; readonly because: string }
  | { readonly kind: 'missing'; readonly screen: string };

/** What may be another in each run, and what stands for it. The first that fits counts. */
const FREE: readonly (readonly [RegExp, string])[] = [
  [/[a-z]+:\/\/[^\s"]+/y, '[a-z]+://[^\\s"]+'],
  [/[\w.-]+:\d{4,5}\b/y, '[\\w.-]+:\\d+'],
  [/\/[\w.-]+\/[\w./-]*/y, '/\\S+'],
  // A rollout.
  [/[a-z]+\.[a-z]+\.\d+/y, '[a-z]+\\.[a-z]+\\.\\d+'],
  [/edge-[abc]-\d+/y, 'edge-[abc]-\\d+'],
  [/CVE-\d+-[\d…]+/y, 'CVE-\\d+-\\d+'],
  [/JIRA-\d+/y, 'JIRA-\\d+'],
  [/(?<![\w.])[0-9a-f]{6,64}(?![\w])…?/y, '[0-9a-f]{6,64}'],
  [/[0-9a-f]{4}…/y, '[0-9a-f]{6,64}'],
  // A figure, with the unit of a time or a size: 0.4 s, 1m 2s, 2:24, 121,940.
  [
    /(?<![\w.])\d[\d.,:]*(?: ?(?:ms|s|min|m|h|d|[KM]B)\b)?(?: \d+s\b)?/y,
    '\\d[\\d.,:]*(?: ?(?:ms|s|min|m|h|d|[KM]B)\\b)?(?: \\d+s\\b)?',
  ],
  [/\s+/y, '\\s+'],
];

/** The lines that a line of a story stands for. */
export function toPattern(screen: string): RegExp {
  const text = screen.trim();
  let pattern = '';
  for (let at = 0; at < text.length; ) {
    const free = FREE.find(([expression]) => {
      expression.lastIndex = at;
      return expression.test(text);
    });
    if (free === undefined) {
      pattern += (text[at] ?? '').replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
      at++;
    } else {
      pattern += free[1];
      at = free[0].lastIndex;
    }
  }
  return new RegExp(`^\\s*${pattern}\\s*$`);
}

/** Each line of the screen: there and in its order, otherwise as explained, or not there. */
export function compareScreen(screen: readonly ScreenLine[], { out, err }: Typed): readonly Compared[] {
  const streams = [out, err].map(text => ({ lines: text.split('\n'), at: 0 }));
  const isNext = (pattern: RegExp): boolean =>
    streams.some(stream => {
      const found = stream.lines.findIndex((line, i) => i >= stream.at && pattern.test(line));
      if (found >= 0) stream.at = found + 1;
      return found >= 0;
    });
  return screen.map((line): Compared => {
    const text = typeof line === 'string' ? line : line.screen;
    if (isNext(toPattern(text))) return { kind: 'same' };
    if (typeof line === 'string') return { kind: 'missing', screen: text };
    const { ours, because } = line;
    if (ours === null) return { kind: 'explained', screen: text, ours: '(nothing)', because };
    const [found] = ours.exec(`${out}\n${err}`) ?? [];
    return found === undefined
      ? { kind: 'missing', screen: `${text}\n(or, as explained: ${ours})` }
      : { kind: 'explained', screen: text, ours: found, because };
  });
}

/** Words of ours that users never read. */
const OWN_WORDS = /\b(slots?|attempts?|verdicts?|process|processes|nonces?|cohorts?)\b/gi;

/** X1: those that were printed all the same. */
export function ownWordsIn(text: string): readonly string[] {
  return [...new Set(text.match(OWN_WORDS) ?? [])];
}
