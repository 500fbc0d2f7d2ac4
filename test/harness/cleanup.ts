import type { TestContext } from 'node:test';

/** Something of the harness that must be stopped. */
export interface Stoppable {
  stop(): Promise<void>;
}

const stops = new WeakMap<TestContext, Stoppable[]>();

/** Stops it when the test ends, whatever came of the test; the newest first. Gives it back. */
export function stopAfter<T extends Stoppable>(t: TestContext, actor: T): T {
  const known = stops.get(t);
  if (known) known.push(actor);
  else {
    const actors: Stoppable[] = [actor];
    stops.set(t, actors);
    t.after(async () => {
      for (const one of actors.reverse()) await one.stop();
    });
  }
  return actor;
}
