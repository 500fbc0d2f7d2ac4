import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { LISTENER_TYPE } from '../../../src/model/type-url.ts';
import type { ProtocolForm } from '../../../src/xds/stream/channel.ts';
import { type AttacheScene, startAttacheScene } from '../../harness/attache-scene.ts';
import type { EnvoyProcess } from '../../harness/envoy-process.ts';
import { rawListener } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { API_TYPE, toApiType } from '../../harness/xds-form.ts';

const FORMS = ['delta', 'sotw'] as const;

for (const form of FORMS)
  for (const version of ['1.40.0', '1.36.2'])
    test(`trap: the good listener of a refused response is there, and a reconnect does not tell, on Envoy ${version}, ${form}`, async t => {
      const { xds, envoy } = await startRawScene(t, { version, form });
      const toResource = (name: string, mark: string, extra = {}) => {
        return { name, version: mark, json: markedListener(name, mark, extra) };
      };
      await xds.waitRequest(() => true, 'the Envoy to connect');
      await xds.pushAndWait(LISTENER_TYPE, [toResource('a', 'a1'), toResource('b', 'b1')]);
      const bad = toResource('b', 'b2', { filter_chains: [] });
      const { ok, text } = await xds.pushAndWait(LISTENER_TYPE, [toResource('a', 'a2'), bad]);
      assert.equal(ok, false);
      assert.match(text, /b: /);
      await untilMarked(envoy, 'a2');

      const before = xds.requests.length;
      xds.cutStreams();
      const isForListeners = (one: { typeUrl: string }) => one.typeUrl === LISTENER_TYPE;
      const { versionInfo, initialVersions } = await xds.waitRequest(isForListeners, 'it again', before);
      if (form === 'sotw') assert.equal(versionInfo, 'a1+b1');
      else assert.deepEqual(initialVersions, { a: 'a1', b: 'b1' });
    });

for (const form of FORMS)
  test(`Attaché: what came with a refused listener goes back with it, over broken streams and restarts, ${form}`, t =>
    goBackTogether(t, form));

async function goBackTogether(t: TestContext, form: ProtocolForm): Promise<void> {
  const scene = await startAttacheScene(t, {
    editBootstrap: text => text.replace(`api_type: ${API_TYPE}`, `api_type: ${toApiType(form)}`),
  });
  const { attache, envoy, upstream } = scene;
  const apply = (name: string, mark: string, extra = {}) =>
    attache.applyResource('listeners', name, markedListener(name, mark, extra));
  await apply('a', 'a-first');
  await apply('b', 'b-first');
  await untilMarked(envoy, 'b-first');
  const taken = { address: { socket_address: { address: '127.0.0.1', port_value: upstream.port } } };
  for (const restart of [async () => {}, () => restartAttache(scene)]) {
    await whileAway(scene, async () => {
      await apply('a', 'a-second');
      await apply('b', 'b-second', taken);
    });
    await untilMarked(envoy, 'a-second');
    await until(async () => (await envoy.stat('listener_manager.lds.update_rejected')) > 0, {
      what: 'a NACK',
    });
    await whileAway(scene, async () => {
      await restart();
      await apply('a', 'a-first');
      await apply('b', 'b-first');
    });
    await untilMarked(envoy, 'a-first');
  }
}

/** The stream is broken meanwhile. */
async function whileAway({ xdsProxy }: AttacheScene, act: () => Promise<void>): Promise<void> {
  xdsProxy.behave({ refuse: true });
  xdsProxy.cut();
  await act();
  xdsProxy.behave({});
}

async function restartAttache({ attache }: AttacheScene): Promise<void> {
  await attache.end();
  await attache.startAgain();
}

/** A listener that can be told from another version of itself. */
function markedListener(name: string, mark: string, extra: JsonObject): JsonObject {
  const text = JSON.stringify(rawListener(name, [], extra));
  return JSON.parse(text.replace(`"stat_prefix":"${name}"`, `"stat_prefix":"${mark}"`));
}

/** Until one of its listeners has the mark; those that it let go of, and those that it refused, do not count. */
async function untilMarked(envoy: EnvoyProcess, mark: string): Promise<void> {
  const isThere = async () => {
    const { configs } = await envoy.configDump();
    const states = configs.flatMap(config => config.dynamic_listeners ?? []) as { active_state?: unknown }[];
    return states.some(state => JSON.stringify(state.active_state ?? '').includes(`"${mark}"`));
  };
  await until(isThere, { what: `the listener ${mark}`, deadlineMs: 40_000 });
}
