import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import { Checker } from './checker.ts';
import { type NodeFacts, PROBE_MODULE, PROBE_PLUGIN, type WirePart } from './envoy-bytes.ts';
import type { Deed } from './wire.ts';

const PLACES = ['attache.authn/in', 'attache.last/in'];

/** A wire written by hand, for tests of the checker. Times in ms after the beginning. */
export class WireTale {
  readonly checker = new Checker();
  #at = 1_000_000;
  #tags = 0;
  readonly #tagOf = new Map<string, string>();

  constructor(nodes: readonly string[], zone: (node: string) => string = () => 'a') {
    this.did({ type: 'started' });
    for (const node of nodes) this.open(node, true, zone(node));
    this.wait(120_000);
  }

  /** The rules that were found broken, each once. */
  get broken(): readonly string[] {
    return [...new Set(this.checker.violations.map(text => /([a-z-]+):/.exec(text.slice(10))?.[1] ?? text))];
  }

  wait(ms: number): this {
    this.#at += ms;
    return this;
  }

  did(deed: Deed): this {
    this.checker.onDeed(this.#at, deed);
    return this;
  }

  open(node: string, fresh: boolean, zone = 'a'): this {
    const facts: NodeFacts = { id: node, labels: { role: 'edge' }, zone, layout: 'chain' };
    this.checker.onWire(this.#at, { type: 'opened', node, facts, fresh });
    if (fresh) for (const place of PLACES) this.push(node, place, []).ack(node);
    return this;
  }

  /** It comes back, and names what it accepted in its last place; as `push` has it for a version. */
  brings(node: string, ...parts: readonly string[]): this {
    const versions = new Map([[PLACES[1] ?? '', parts.join()]]);
    this.checker.onWire(this.#at, { type: 'brings', node, versions });
    return this;
  }

  close(node: string): this {
    this.checker.onWire(this.#at, { type: 'closed', node });
    return this;
  }

  /** A document whose module is there at once. */
  apply(revision: number, rollout: PluginSpec['rollout'], plugin = 'default/p1'): this {
    const [namespace = '', name = ''] = plugin.split('/');
    const spec: PluginSpec = { namespace, name, url: 'u', createdAt: 1, ...(rollout ? { rollout } : {}) };
    this.did({ type: 'applied', plugin, spec });
    return this.did({ type: 'ready', plugin, revision });
  }

  /** `parts` as `p1@2`; a part keeps its tag unless it is written `p1@2!`. */
  push(node: string, place: string, parts: readonly string[], form: 'verdict' | 'warming' = 'verdict'): this {
    const content = { form, parts: parts.map(part => this.#toPart(node, part)) };
    this.checker.onWire(this.#at, { type: 'place', node, place, version: parts.join(), content });
    return this;
  }

  ack(node: string): this {
    this.wait(5);
    this.checker.onWire(this.#at, { type: 'answer', node, to: 'place' });
    return this;
  }

  nack(node: string, plugin: string): this {
    this.wait(5);
    const nack = `Unable to create Wasm plugin ${plugin}`;
    this.checker.onWire(this.#at, { type: 'answer', node, to: 'place', nack });
    return this;
  }

  get(node: string, module: string): this {
    this.checker.onWire(this.#at, { type: 'get', node, module });
    return this;
  }

  listener(node: string, version: string): this {
    const listeners = [{ name: 'in', version, places: PLACES }];
    this.checker.onWire(this.#at, { type: 'listeners', node, listeners, removed: [] });
    this.checker.onWire(this.#at, { type: 'answer', node, to: 'listeners' });
    return this;
  }

  /** Moves a node: the push and its ACK. */
  move(node: string, ...parts: readonly string[]): this {
    return this.push(node, PLACES[1] ?? '', parts).ack(node);
  }

  /** Refuses what it is sent, in the way that proves it; the last good content is back then. */
  refuse(node: string, part: string): this {
    const place = PLACES[1] ?? '';
    const plugin = `default/${part.split('@')[0]}`;
    this.push(node, place, [part]).nack(node, plugin).wait(1001);
    this.push(node, place, [PROBE_PLUGIN]).nack(node, PROBE_PLUGIN).get(node, PROBE_MODULE);
    return this.push(node, place, [`${part}!`])
      .nack(node, plugin)
      .wait(1001);
  }

  end(): this {
    this.checker.end(this.#at);
    return this;
  }

  #toPart(node: string, text: string): WirePart {
    if (text === PROBE_PLUGIN) return this.#makePart(PROBE_PLUGIN, 0, 'probe');
    const [name = '', number = ''] = text.replace('!', '').split('@');
    const key = `${node} ${name}@${number}`;
    const known = this.#tagOf.get(key);
    const tag = known === undefined || text.endsWith('!') ? String(++this.#tags) : known;
    this.#tagOf.set(key, tag);
    return this.#makePart(`default/${name}`, Number(number), tag);
  }

  #makePart(plugin: string, revision: number, tag: string): WirePart {
    const rest = `${plugin}@${revision}`;
    return { plugin, revision, module: `${rest}-module`, tag, capability: '', rest };
  }
}
