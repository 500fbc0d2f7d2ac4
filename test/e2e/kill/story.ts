/** What is applied in one round of the story. */
export type Action =
  /** The plugin `stamp` with a new configuration. */
  | 'reconfigure'
  /** The plugin `stamp` with a module that no Envoy has seen. */
  | 'new module'
  /** The same, so big that its download takes seconds. */
  | 'big module'
  /** The plugin `stamp` with a new module that Envoy alone refuses. */
  | 'bad module'
  /** The last one that was refused, once more, after others were accepted. */
  | 'bad module again'
  /** A second plugin comes, or goes where it was there. */
  | 'second plugin';

/** Who is killed, and by what the instant is found; `afterMs` counts from there. */
export interface Kill {
  readonly victim: 'attache' | 'envoy' | 'both';
  readonly moment: Moment;
  readonly afterMs: number;
}

export type Moment =
  /** The request with the document was sent. */
  | { readonly kind: 'apply' }
  /** Attaché has read the Envoy's n-th NACK of the new content, and has not answered it with another push. */
  | { readonly kind: 'NACK'; readonly n: number }
  /**
   * The Envoy has begun to download the module, through a line that makes it take seconds. `both`: it has the
   * module, is killed, and downloads it again for its start; then Attaché goes.
   */
  | { readonly kind: 'download' }
  /** The Envoy was killed and has just been started again: the other one goes now. */
  | { readonly kind: 'start of the Envoy' };

export interface Round {
  readonly number: number;
  readonly action: Action;
  readonly kill: Kill;
  /** How long the victim stays away. */
  readonly awayMs: number;
}

type Card = (random: () => number) => Pick<Round, 'action' | 'kill'>;

/** Each ten kills hold each of these once, in an order of the seed's. */
const DECK: readonly Card[] = [
  random => afterApply('attache', pick(['reconfigure', 'new module'], random), random),
  random => afterApply(pick(['attache', 'envoy'], random), 'second plugin', random),
  random => afterApply('envoy', pick(['reconfigure', 'new module', 'bad module'], random), random),
  // The NACK of a miss is answered once the download ended, that of a refusal after a second.
  random => onNack('attache', pick(['new module', 'bad module'], random), 1, 10, random),
  random => onNack('attache', 'bad module', 2, 900, random),
  random => onNack(pick(['attache', 'envoy'], random), 'bad module', 2, 900, random),
  random => afterApply(pick(['attache', 'envoy'], random), 'bad module again', random),
  random => inDownload(pick(['attache', 'envoy'], random), random),
  // What an Envoy downloads while it starts is what its listener waits for.
  random => inDownload('both', random),
  random => ({
    action: pick(['reconfigure', 'new module'], random),
    kill: { victim: 'both', moment: { kind: 'start of the Envoy' }, afterMs: between(0, 1_500, random) },
  }),
];

/** The rounds of a seed: always the same, and a longer story begins as a shorter one. Pure. */
export function tellStory(seed: number, count: number): readonly Round[] {
  const random = seeded(seed);
  const rounds: Round[] = [];
  while (rounds.length < count)
    for (const card of shuffle(DECK, random))
      rounds.push({ number: rounds.length + 1, ...card(random), awayMs: between(0, 600, random) });
  return rounds.slice(0, count);
}

function afterApply(victim: Kill['victim'], action: Action, random: () => number): ReturnType<Card> {
  // Half of them about when the document is answered, half while it is on its way to the Envoy.
  const afterMs = random() < 0.5 ? between(0, 40, random) : between(40, 1_000, random);
  return { action, kill: { victim, moment: { kind: 'apply' }, afterMs } };
}

function onNack(
  victim: Kill['victim'],
  action: Action,
  n: number,
  withinMs: number,
  random: () => number,
): ReturnType<Card> {
  return { action, kill: { victim, moment: { kind: 'NACK', n }, afterMs: between(0, withinMs, random) } };
}

function inDownload(victim: Kill['victim'], random: () => number): ReturnType<Card> {
  const afterMs = between(50, 1_500, random);
  return { action: 'big module', kill: { victim, moment: { kind: 'download' }, afterMs } };
}

function pick<T>(choices: readonly [T, ...T[]], random: () => number): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

function between(from: number, to: number, random: () => number): number {
  return Math.floor(from + (to - from) * random());
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function describeRound({ number, action, kill, awayMs }: Round): string {
  const { kind } = kill.moment;
  const when = kill.moment.kind === 'NACK' ? `NACK ${kill.moment.n}` : kind;
  const who = kill.victim === 'both' ? 'Envoy, then Attaché' : kill.victim === 'envoy' ? 'Envoy' : 'Attaché';
  return `#${number} ${action}; ${who} killed ${kill.afterMs} ms after ${when}, ${awayMs} ms away`;
}
