import {
  type LoadedProof,
  newProof,
  onProcess,
  onReading,
  type Reading,
} from '../../../src/xds/loaded/loaded-proof.ts';
import { NO_TAGS, type Variant } from '../../../src/xds/push/attempt.ts';
import { withFetch } from '../../../src/xds/push/downloads.ts';
import { newProcess, type ProcessState } from '../../../src/xds/push/process-machine.ts';
import { IDLE, NO_NAMES, newSlot, type SlotState } from '../../../src/xds/push/slot-state.ts';
import { toContent, toWant } from '../push/slot-story.ts';
import { type ModelPart, VmModel } from './vm-model.ts';

const WORKERS = 2;

export interface Change {
  /** Threads on which the plugins that are new do not start; 0 is the main one. */
  readonly failsOn?: readonly number[];
  /** The warming form first, from a module that had to be fetched. */
  readonly warm?: boolean;
}

/** A process, its VMs as Envoy would have them, and what is held for proven. */
export class LoadedStory {
  proof: LoadedProof;
  state: ProcessState;
  readonly vms = new VmModel(WORKERS);
  readonly #contents = new Map<string, string>();
  #judged: LoadedProof['loaded'] = new Map();
  #underWay: Partial<Reading> = {};
  #gets = 0;
  #now = 1000;

  constructor({ fresh = true, proof = newProof(fresh) }: { fresh?: boolean; proof?: LoadedProof } = {}) {
    this.state = newProcess({ fresh, bootstrapDenies: false });
    this.proof = proof;
  }

  /** The slot as the store remembers it: its content is known by its hash. */
  restore(slot: string, content: string): this {
    const { contentHash, plugins } = toContent(content);
    return this.#set(slot, { accepted: { contentHash, plugins, tags: NO_TAGS, number: undefined } });
  }

  /** What compile says that the slot is to hold. */
  want(slot: string, content: string): this {
    return this.#set(slot, { want: toWant(content) });
  }

  /** Pushes `a@1 b@2` to a slot, which Envoy accepts. */
  push(slot: string, content: string, { failsOn = [], warm = false }: Change = {}): this {
    if (warm) {
      this.#out(slot, content, 'warming');
      this.#fetch(content);
      this.vms.warm(toParts(content));
    }
    this.#out(slot, content, 'verdict');
    this.vms.accept(slot, toParts(content), (_, thread) => failsOn.includes(thread));
    this.#contents.set(slot, content);
    const { plugins } = toContent(content);
    const accepted = {
      contentHash: toContent(content).contentHash,
      content: toContent(content),
      plugins: plugins.map(({ plugin, revision }) => ({ plugin, revision })),
      tags: NO_TAGS,
      number: this.#now,
    };
    return this.#set(slot, { phase: IDLE, accepted });
  }

  /** A push that Envoy NACKs in the end. */
  refuse(slot: string, content: string): this {
    this.vms.refuse();
    this.#out(slot, content, 'verdict');
    return this.#set(slot, { phase: IDLE });
  }

  /** The stream breaks and comes back; Envoy says what it has. */
  reconnect(): this {
    const slots = [...this.state.slots].map(([name, slot]): [string, SlotState] => [
      name,
      { ...slot, subscribed: true, phase: IDLE },
    ]);
    return this.#look({ ...this.state, slots: new Map(slots) });
  }

  drop(slot: string): this {
    const slots = new Map(this.state.slots);
    slots.delete(slot);
    this.vms.accept(slot, [], () => false);
    return this.#look({ ...this.state, slots });
  }

  flush(more: Partial<Reading> = {}): this {
    this.proof = onReading(this.proof, { ...this.reading(), ...more });
    return this;
  }

  reading(): Reading {
    const { created, active, requestsActive, reloads } = this.vms;
    return {
      ...{ created, active, reloaded: reloads.succeeded, workers: WORKERS, hotRestarted: false },
      quiet: requestsActive === 0,
      hasCrashed: reloads.succeeded + reloads.failed > 0,
    };
  }

  /** The first one after a push may tell of the time before it: it was under way. */
  flushes(count: number): this {
    for (let i = 0; i < count; i++) this.flush(this.proof.readings === 0 ? this.#underWay : {});
    return this;
  }

  versions(): this {
    return this.#look({ ...this.state, known: false, fresh: false });
  }

  /** `slot: a b` for what is proven. */
  get loaded(): string {
    return [...this.proof.loaded]
      .map(([slot, parts]) => `${slot}: ${[...parts.keys()].map(it => it.replace('default/', '')).join(' ')}`)
      .sort()
      .join(', ');
  }

  /** How many were proven since the last call, and which of them are wrong. */
  takeProven(): { readonly count: number; readonly wrong: readonly string[] } {
    const old = this.#judged;
    this.#judged = this.proof.loaded;
    const proven = [...this.proof.loaded].flatMap(([slot, loaded]) =>
      [...loaded]
        .filter(([plugin, { partHash }]) => old.get(slot)?.get(plugin)?.partHash !== partHash)
        .map(([plugin, { partHash }]) => ({ slot, plugin, partHash })),
    );
    const wrong = proven.filter(({ slot, partHash }) => {
      const part = toParts(this.#contents.get(slot) ?? '').find(it => it.key === partHash);
      return part === undefined || !this.vms.runsEverywhere(slot, part);
    });
    return { count: proven.length, wrong: wrong.map(({ slot, plugin }) => `${slot} ${plugin}`) };
  }

  #out(slot: string, text: string, variant: Variant): void {
    this.#underWay = this.reading();
    const content = toContent(text);
    const attempt = {
      content,
      variant,
      tags: [],
      number: 0,
      pushedAt: ++this.#now,
      isProbe: false,
      staying: NO_NAMES,
    };
    this.#set(slot, { subscribed: true, phase: { kind: 'in-flight', attempt } });
  }

  #fetch(text: string): void {
    let { downloads } = this.state;
    for (const { moduleSha256 } of toContent(text).plugins)
      downloads = withFetch(downloads, {
        ...{ process: 'p', tag: '', moduleSha256, id: ++this.#gets },
        ...{ state: 'sent', at: ++this.#now },
      });
    this.#look({ ...this.state, downloads });
  }

  #set(name: string, more: Partial<SlotState>): this {
    const slot = this.state.slots.get(name) ?? newSlot(name);
    return this.#look({ ...this.state, slots: new Map(this.state.slots).set(name, { ...slot, ...more }) });
  }

  #look(state: ProcessState): this {
    this.state = state;
    this.proof = onProcess(this.proof, state);
    return this;
  }
}

function toParts(text: string): ModelPart[] {
  return toContent(text).plugins.map(({ plugin, moduleSha256, partHash }) => ({
    vm: `${plugin}@${moduleSha256}`,
    key: partHash,
  }));
}
