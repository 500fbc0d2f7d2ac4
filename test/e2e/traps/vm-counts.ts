import assert from 'node:assert/strict';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import {
  FILTER_CHAIN,
  PASS_THROUGH,
  RBAC,
  rawChain,
  rawListener,
  rawSlot,
  rawWasm,
  WASM,
} from '../../harness/raw-resources.ts';
import type { RawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { SLOT } from './raw-serving.ts';

/** A plugin as these tests push it. */
export interface Pushed {
  readonly name: string;
  readonly module: { readonly sha256: string; readonly bytes: Uint8Array };
  readonly configuration?: JsonObject;
  readonly failurePolicy?: 'FAIL_RELOAD' | 'FAIL_CLOSED' | 'FAIL_OPEN';
}

/** The slot of a live listener in a raw scene, and how Envoy's two counts of VMs move with what is put in it. */
export class CountedSlot {
  readonly #scene: RawScene;
  readonly #isChain: boolean;
  #versions = 0;
  #before = { created: 0, active: 0 };

  constructor(scene: RawScene, version: string) {
    this.#scene = scene;
    this.#isChain = version >= '1.39';
  }

  /** A listener that passes everything through, live; gives its port. */
  async serve(): Promise<number> {
    const { xds, envoy } = this.#scene;
    const typeUrls = this.#isChain ? [FILTER_CHAIN, WASM, RBAC] : [WASM, RBAC];
    await xds.waitRequest(() => true, 'the Envoy to connect');
    xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT, typeUrls })]));
    await xds.waitSubscribed(SLOT);
    await this.put();
    return envoy.listenerPort('main');
  }

  /** Puts plugins in the slot, in the verdict form; pushed again after a miss. Throws when Envoy refuses them. */
  async put(...plugins: readonly Pushed[]): Promise<void> {
    let text = '';
    for (let tries = 0; tries < 1 + 2 * plugins.length; tries++) {
      const verdict = await this.push(plugins, true);
      if (verdict.ok) return;
      text = verdict.text;
      const { host } = this.#scene;
      await until(() => host.gets.every(get => get.state !== 'open'), { what: 'the downloads to end' });
    }
    assert.fail(`the Envoy refuses it: ${text}`);
  }

  push(plugins: readonly Pushed[], nack: boolean) {
    for (const { module } of plugins) this.#scene.host.add(module);
    const filters = plugins.map(({ name, module, configuration = {}, failurePolicy = 'FAIL_RELOAD' }) =>
      rawWasm({ name, sha256: module.sha256, configuration, nack, failurePolicy }),
    );
    const [only = PASS_THROUGH] = filters;
    const content = this.#isChain ? rawChain(filters.length === 0 ? [PASS_THROUGH] : filters) : only;
    return this.#scene.xds.pushSlot(SLOT, `v${++this.#versions}`, content).verdict;
  }

  /** By how much `created` and `active` differ from the last time. */
  async moved(): Promise<{ readonly created: number; readonly active: number }> {
    const { vmCreated, vmActive } = await this.#scene.sink.nextFlush();
    const now = { created: vmCreated ?? 0, active: vmActive ?? 0 };
    const moved = { created: now.created - this.#before.created, active: now.active - this.#before.active };
    this.#before = now;
    return moved;
  }
}
