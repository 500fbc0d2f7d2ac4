import type { SourcePart } from './source-part.ts';

/** An EXTENSION_CONFIG patch: a filter by a name that HTTP_FILTER patches, also of other documents, refer to. */
interface ExtensionConfig {
  readonly name: string;
  readonly namespace: string | undefined;
  /** `{name, typed_config}` */
  readonly value: SourcePart;
}

/** All EXTENSION_CONFIGs of what is converted together. */
export class ExtensionConfigs {
  readonly #configs: ExtensionConfig[] = [];
  readonly #used = new Set<ExtensionConfig>();

  /** Takes in those of one EnvoyFilter. */
  add(namespace: string | undefined, patches: SourcePart | undefined): void {
    if (!Array.isArray(patches?.value)) return;
    for (const patch of patches.items()) {
      if (patch.path('apply_to')?.value !== 'EXTENSION_CONFIG') continue;
      const value = patch.path('patch', 'value');
      const name = value?.get('name')?.value;
      if (value !== undefined && typeof name === 'string') this.#configs.push({ name, namespace, value });
      else patch.refuse('missing-field', 'patch.value.name is missing: nothing can refer to it');
    }
  }

  /** The one of this name: of the namespace itself, else of any. */
  find(name: string, namespace: string | undefined): SourcePart | undefined {
    const named = this.#configs.filter(one => one.name === name);
    const found = named.find(one => one.namespace === namespace) ?? named[0];
    if (found === undefined) return undefined;
    this.#used.add(found);
    return found.value;
  }

  /** Those that nothing referred to are in no chain. */
  warnOfUnused(): void {
    for (const config of this.#configs)
      if (!this.#used.has(config))
        config.value.warn(
          'left out: no HTTP_FILTER patch refers to it',
          'If one stands in another file, convert both together.',
        );
  }
}
