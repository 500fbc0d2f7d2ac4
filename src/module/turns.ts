/** Lets at most `places` jobs run at once; the others wait their turn, first come first served. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    // Whoever ends hands its place over.
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Turns of hosts: who waits for its host's holds no place of all. */
export class HostTurns {
  readonly #all: Turns;
  readonly #byHost: number;
  readonly #hosts = new Map<string, { readonly turns: Turns; jobs: number }>();

  constructor(all: number, byHost: number) {
    this.#all = new Turns(all);
    this.#byHost = byHost;
  }

  async run<T>(host: string, job: () => Promise<T>): Promise<T> {
    const own = this.#hosts.get(host) ?? { turns: new Turns(this.#byHost), jobs: 0 };
    this.#hosts.set(host, own);
    own.jobs++;
    try {
      return await own.turns.run(() => this.#all.run(job));
    } finally {
      own.jobs--;
      if (own.jobs === 0) this.#hosts.delete(host);
    }
  }
}
