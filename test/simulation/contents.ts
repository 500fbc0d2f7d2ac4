import { type Phase, type PluginName, sha256Hex } from '../../src/model/plugin-spec.ts';
import { hashConfig, hashRevision, type Revision, type RevisionConfig } from '../../src/model/revision.ts';
import type { Chance } from './chance.ts';

/** On every node, or on these. */
export type Where = 'all' | ReadonlySet<string>;

/** What is wrong with a content, wherever it runs. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly where: Where }
  /** Answers this share of requests with 5xx. */
  | { readonly kind: 'errors'; readonly share: number; readonly where: Where }
  | { readonly kind: 'crashes'; readonly where: Where };

/** One thing that a person may apply: the same content applied again is the same revision. */
export interface Content {
  readonly module: string;
  readonly phase: Phase;
  readonly priority: number;
  readonly fault: Fault;
  /** Given by the module stage once it is there. */
  revision: number | undefined;
}

/** All contents of all plugins of a story. */
export class Contents {
  readonly #byPlugin = new Map<PluginName, Content[]>();
  readonly #newest = new Map<PluginName, number>();

  /** A new one, good or faulty by chance; often with the module of the one before. */
  invent(plugin: PluginName, chance: Chance, nodes: readonly string[]): Content {
    const known = this.of(plugin);
    const last = known.at(-1);
    const content: Content = {
      module: last !== undefined && chance.is(0.3) ? last.module : sha256Hex(`${plugin} ${known.length}`),
      phase: last !== undefined && chance.is(0.9) ? last.phase : chance.pick(['AUTHN', 'UNSPECIFIED_PHASE']),
      priority: chance.is(0.2) ? chance.integer(0, 3) : 0,
      fault: inventFault(chance, nodes),
      revision: undefined,
    };
    this.#byPlugin.set(plugin, [...known, content]);
    return content;
  }

  of(plugin: PluginName): readonly Content[] {
    return this.#byPlugin.get(plugin) ?? [];
  }

  faultOf(plugin: PluginName, revision: number): Fault {
    return this.of(plugin).find(content => content.revision === revision)?.fault ?? { kind: 'none' };
  }

  /** The Revision record; `isNew` says that nobody made it before. */
  toRevision(plugin: PluginName, content: Content, now: number): { revision: Revision; isNew: boolean } {
    const isNew = content.revision === undefined;
    if (isNew) {
      content.revision = (this.#newest.get(plugin) ?? 0) + 1;
      this.#newest.set(plugin, content.revision);
    }
    const number = content.revision ?? 0;
    const { module: sha256, phase, priority } = content;
    // The number in the configuration is what the checker knows a revision by.
    const config: RevisionConfig = { env: [], match: [], pluginConfig: { n: number }, phase, priority };
    const module = { sha256, sizeBytes: 100_000, url: 'u', layout: 'file', abi: '0.2.1', importCount: 1 };
    const contentHash = hashRevision(sha256, config);
    const configHash = hashConfig(config);
    return { isNew, revision: { plugin, number, contentHash, configHash, config, module, createdAt: now } };
  }
}

export function isThere(where: Where, node: string): boolean {
  return where === 'all' || where.has(node);
}

function inventFault(chance: Chance, nodes: readonly string[]): Fault {
  const where = (): Where =>
    chance.is(0.5) ? 'all' : new Set(chance.some(nodes, chance.integer(1, Math.ceil(nodes.length / 3))));
  return chance.weighted<() => Fault>([
    [60, () => ({ kind: 'none' })],
    [25, () => ({ kind: 'refused', where: where() })],
    [8, () => ({ kind: 'errors', share: chance.pick([1, 0.9, 0.1]), where: where() })],
    [4, () => ({ kind: 'crashes', where: where() })],
  ])();
}
