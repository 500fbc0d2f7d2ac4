/** A part of a slot's content, as Envoy tells them apart. */
export interface ModelPart {
  readonly vm: string;
  readonly key: string;
}

/**
 * How Envoy's counts of Wasm VMs move, as measured on 1.36.2 to 1.40.0 (docs/push-protocol.md, "Loaded"), with workers
 * on which a plugin does not start, requests that keep an old VM, and VMs that are none of ours. Thread 0 is the main one.
 */
export class VmModel {
  created = 0;
  /** VMs made again after a crash, and those that could not be. */
  reloads = { succeeded: 0, failed: 0 };
  readonly #workers: number;
  readonly #slots = new Map<string, readonly ModelPart[]>();
  /** VM to thread to the plugins that started in it. */
  readonly #vms = new Map<string, Map<number, Set<string>>>();
  readonly #requests: { readonly thread: number; readonly vms: readonly string[] }[] = [];
  #foreign = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  get active(): number {
    const own = [...this.#vms].reduce((sum, [vm, threads]) => sum + 1 + this.#alive(vm, threads).size, 0);
    // A request keeps the VM of its thread, and the base of its set.
    const orphans = new Set(
      this.#requests.flatMap(({ thread, vms }) =>
        vms.filter(vm => !this.#vms.has(vm)).flatMap(vm => [`${vm} ${thread}`, vm]),
      ),
    );
    return own + orphans.size + this.#foreign;
  }

  get requestsActive(): number {
    return this.#requests.length;
  }

  /** `fails`: whether a part does not start on a thread; the trial on the main thread went well. */
  accept(
    slot: string,
    parts: readonly ModelPart[],
    fails: (part: ModelPart, thread: number) => boolean,
  ): void {
    const old = this.#slots.get(slot) ?? [];
    this.#slots.set(slot, parts);
    for (const part of parts) this.#start(part, fails);
    const used = [...this.#slots.values()].flat();
    for (const { vm, key } of old) {
      if (used.some(it => it.vm === vm && it.key === key)) continue;
      for (const plugins of this.#vms.get(vm)?.values() ?? []) plugins.delete(key);
      if (!used.some(it => it.vm === vm)) this.#vms.delete(vm);
    }
    this.#forgetCounts();
  }

  /** The warming form of what is about to be accepted: VMs of their own, which go when it is. */
  warm(parts: readonly ModelPart[]): void {
    this.created += parts.length * (this.#workers + 3);
  }

  runsEverywhere(slot: string, { vm, key }: ModelPart): boolean {
    const threads = this.#vms.get(vm);
    const here = this.#slots.get(slot)?.some(it => it.vm === vm && it.key === key) === true;
    return here && this.#threads().every(thread => threads?.get(thread)?.has(key) === true);
  }

  beginRequest(worker: number): void {
    const thread = 1 + (worker % this.#workers);
    const vms = [...this.#vms]
      .filter(([, threads]) => (threads.get(thread)?.size ?? 0) > 0)
      .map(([vm]) => vm);
    this.#requests.push({ thread, vms });
  }

  endRequest(): void {
    this.#requests.shift();
    this.#forgetCounts();
  }

  /** A try that did not come beyond its trial. */
  refuse(): void {
    this.created += 2;
    this.#forgetCounts();
  }

  /** Somebody else's VMs, made or gone. */
  foreign(count: number): void {
    if (count > 0) this.created += count;
    this.#foreign = Math.max(0, this.#foreign + count);
    this.#forgetCounts();
  }

  /** A VM crashes on a thread and is made again, or cannot be. */
  crash(thread: number, isMadeAgain: boolean): void {
    const [threads] = [...this.#vms.values()];
    if ((threads?.get(thread)?.size ?? 0) === 0) return;
    this.created += 1;
    if (isMadeAgain) this.reloads.succeeded += 1;
    else {
      this.reloads.failed += 1;
      threads?.get(thread)?.clear();
    }
  }

  #start(part: ModelPart, fails: (part: ModelPart, thread: number) => boolean): void {
    const known = this.#vms.get(part.vm);
    const isKnown = [...(known?.values() ?? [])].some(plugins => plugins.has(part.key));
    if (isKnown) return;
    this.created += known === undefined ? this.#workers + 3 : 1;
    const threads = known ?? new Map<number, Set<string>>();
    this.#vms.set(part.vm, threads);
    for (const thread of this.#threads()) {
      // A thread that lost its VM makes another one of the base.
      if (known !== undefined && (known.get(thread)?.size ?? 0) === 0) this.created += 1;
      if (!fails(part, thread)) threads.set(thread, (threads.get(thread) ?? new Set()).add(part.key));
    }
  }

  #alive(vm: string, threads: ReadonlyMap<number, ReadonlySet<string>>): ReadonlySet<number> {
    const started = [...threads].filter(([, plugins]) => plugins.size > 0).map(([thread]) => thread);
    const kept = this.#requests.filter(({ vms }) => vms.includes(vm)).map(({ thread }) => thread);
    return new Set([...started, ...kept]);
  }

  #threads(): readonly number[] {
    return Array.from({ length: this.#workers + 1 }, (_, i) => i);
  }

  /** Envoy drops the counts with the last VM of all. */
  #forgetCounts(): void {
    if (this.active === 0) this.created = 0;
  }
}
