import type { ModuleFetch } from '../../../src/model/module-fetch.ts';
import type { PluginInSlot } from '../../../src/model/node-verdict.ts';
import type { Attempt } from '../../../src/xds/push/attempt.ts';
import { type Downloads, withFetch } from '../../../src/xds/push/downloads.ts';
import { nextWake } from '../../../src/xds/push/next-push.ts';
import { type SlotEvent, step } from '../../../src/xds/push/slot-machine.ts';
import { newSlot, type SlotState, targetOf } from '../../../src/xds/push/slot-state.ts';
import { type Part, part, slotContent } from '../model/content.ts';
import { nextPush } from './next-push.ts';

const partKey = (it: PluginInSlot): string => `${it.plugin}@${it.revision}`;

/** `a@2` as a part of a chain: plugin default/a at revision 2, module `a-2`. `a@2:m` shares the module `m`. */
export function toPart(text: string): Part {
  const match = /^(\w+)@(\d+)(?::(.+))?$/.exec(text);
  if (match?.[1] === undefined) throw new Error(`not a part: ${text}`);
  return part(match[1], Number(match[2]), match[3]);
}

/** `a@1 b@2`: a chain; the empty text is a pass-through. */
export function toContent(text: string): ReturnType<typeof slotContent> {
  return slotContent(text.split(' ').filter(Boolean).map(toPart));
}

export function toWant(wanted: string, good = ''): NonNullable<SlotState['want']> {
  return {
    wanted: toContent(wanted),
    fallback: toContent(good),
    probe: () => toContent('probe@0'),
    recall: parts => toContent(parts.map(it => partKey(it).replace('default/', '')).join(' ')),
  };
}

/** Envoy's text; it names a plugin, never the cause. */
export function refusalOf(plugin: string): string {
  return `Unable to create Wasm plugin default/${plugin}`;
}

/** What a push is, in words: `verdict a@1 b@2`, `warming a@1`, `verdict pass-through`, `probe`. */
export function describeAttempt({ content, variant, isProbe }: Attempt): string {
  if (isProbe) return 'probe';
  const parts = content.plugins.map(it => partKey(it).replace('default/', ''));
  return [variant, ...(parts.length === 0 ? ['pass-through'] : parts)].join(' ');
}

/** One slot of one process, told event by event on a clock that only `pass` moves. */
export class SlotStory {
  state: SlotState = newSlot('attache.authn/ingress');
  now = 1_000_000;
  downloads: Downloads = new Map();
  last: Attempt | undefined;
  #tags = 0;
  #gets = 0;

  event(event: SlotEvent): this {
    this.state = step(this.state, event, { now: this.now, downloads: this.downloads });
    return this;
  }

  want(wanted: string, good = ''): this {
    return this.event({ type: 'wanted', want: toWant(wanted, good) });
  }

  subscribe({
    mayWarm = false,
    gained = false,
    version,
  }: {
    mayWarm?: boolean;
    gained?: boolean;
    version?: string;
  } = {}): this {
    return this.event({ type: 'subscribed', mayWarm, gained, ...(version === undefined ? {} : { version }) });
  }

  /** Sends what is due and says what it was. */
  push(): string {
    const due = nextPush(this.state, this.now, () => (++this.#tags).toString(16).padStart(16, '0'));
    if (due === undefined) return 'nothing';
    this.state = due.state;
    this.last = due.attempt;
    return describeAttempt(due.attempt);
  }

  /** The tags of the last push, by plugin. */
  get tags(): Record<string, string> {
    const plugins = this.last?.content.plugins ?? [];
    return Object.fromEntries(plugins.map((it, i) => [partKey(it), this.last?.tags[i] ?? '']));
  }

  ack(): this {
    return this.event({ type: 'ack' });
  }

  nack(plugin: string): this {
    return this.event({ type: 'nack', message: refusalOf(plugin) });
  }

  /** A GET begins, now; the answer ends it. */
  get(part: string): (state: 'sent' | 'failed') => this {
    const id = ++this.#gets;
    const moduleSha256 = toPart(part).module;
    const tell = (state: ModuleFetch['state']): this => {
      const fetch = { process: 'p', tag: '', moduleSha256, id, state, at: this.now };
      this.downloads = withFetch(this.downloads, fetch);
      return this.event({ type: 'tick' });
    };
    tell('started');
    return tell;
  }

  pass(ms: number): this {
    this.now += ms;
    return this.event({ type: 'tick' });
  }

  /** Until the next moment the machine asks to be woken at, as the shell does; false: it asks for none. */
  sleep(): boolean {
    const at = nextWake(this.state, this.now);
    if (at === undefined) return false;
    this.pass(Math.max(1, at - this.now));
    return true;
  }

  /** Sleeps until a push is due, and sends it; `nothing` if none ever is. */
  sleepUntilDue(): string {
    for (let sleeps = 0; sleeps < 100; sleeps++) {
      const due = this.push();
      if (due !== 'nothing' || !this.sleep()) return due;
    }
    throw new Error('it wakes for ever, and nothing is due');
  }

  /** What Envoy is to have now, as words; `nothing` for a closed place. */
  get target(): string {
    const content = targetOf(this.state, this.now);
    if (content === undefined) return 'nothing';
    return content.plugins.map(it => partKey(it).replace('default/', '')).join(' ') || 'pass-through';
  }

  /** A slot that has accepted `content` in the verdict form. */
  static accepted(content: string, good = content): SlotStory {
    const story = new SlotStory().want(content, good).subscribe();
    story.push();
    return story.ack();
  }

  /** The whole way of a refusal: NACK, probe, GET of the probe, confirmation, NACK. The last good is due then. */
  refuse(plugin: string): this {
    this.nack(plugin).pass(1001);
    if (this.push() !== 'probe') throw new Error('the probe was due');
    this.get('probe@0');
    this.nack('probe');
    this.push();
    return this.nack(plugin).pass(1001);
  }
}

/** A first answer that may be given in the warming form. */
export const warmed = (): SlotStory => new SlotStory().want('a@1').subscribe({ mayWarm: true });

/** Accepted `from`, then pushed `to`. */
export function pushed(from: string, to: string): SlotStory {
  const story = SlotStory.accepted(from).want(to, from);
  if (story.push() === 'nothing') throw new Error('a push was due');
  return story;
}

/** NACKed, and no GET yet. */
export const judged = (): SlotStory => pushed('a@1', 'a@2').nack('a');

/** NACKed, and its download runs. */
export function downloading(): SlotStory {
  const story = pushed('a@1', 'a@2');
  story.get('a@2');
  return story.nack('a');
}
