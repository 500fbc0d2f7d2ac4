/** What an Envoy says and does in the state of the world, where one version stands for all places. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXTENSION_CONFIG_TYPE } from '../../../src/model/type-url.ts';
import { PASS_THROUGH, RBAC, rawListener, rawSlot, WASM } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import type { RawXdsServer } from '../../harness/raw-xds-server.ts';
import { freshStamp, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

const slots = (...names: string[]) => names.map(name => rawSlot({ name, typeUrls: [RBAC, WASM] }));

for (const version of ['1.40.0', '1.36.2'])
  test(`Envoy ${version}: each request names every place, one version stands for all, and a response leaves the others alone`, async t => {
    const scene = await startRawScene(t, { version, form: 'sotw' });
    const { xds, envoy } = scene;
    const module = await freshStamp(scene);
    await xds.waitRequest(() => true, 'the Envoy to connect');
    await xds.pushListener('1', rawListener('main', slots('one', 'two'))).verdict;
    await xds.waitSubscribed('two');
    assert.deepEqual(lastAsked(xds), { names: ['one', 'two'], version: '', nonce: '' });

    await xds.pushSlot('one', '1.w', stampWith(module, 'on', false)).verdict;
    await untilSent(scene, module.sha256);
    await xds.pushSlot('one', '1.v', stampWith(module, 'on', true)).verdict;
    const second = xds.pushSlot('two', '2', PASS_THROUGH);
    await second.verdict;
    assert.deepEqual(lastAsked(xds), { names: ['one', 'two'], version: '2', nonce: second.nonce });
    const port = await envoy.listenerPort('main');
    await untilStamp(port, 'on');
    const nothing = xds.push(EXTENSION_CONFIG_TYPE, []);
    assert.equal((await nothing.verdict).ok, true);
    assert.equal(await stampAt(port), 'on', 'neither did an empty one');

    const bad = stampWith(await freshStamp(scene), 'x', true, { name: 'other' });
    const refused = xds.pushSlot('two', '3', bad);
    assert.equal((await refused.verdict).ok, false);
    assert.deepEqual(lastAsked(xds), { names: ['one', 'two'], version: 'empty', nonce: refused.nonce });

    const before = xds.requests.length;
    xds.cutStreams();
    await xds.waitRequest(isForPlaces, 'the Envoy to come back', before);
    assert.deepEqual(lastAsked(xds), { names: ['one', 'two'], version: 'empty', nonce: '' });
    assert.equal(xds.requests.slice(before).filter(isForPlaces).length, 1);
    assert.equal((await xds.pushSlot('two', '4', bad).verdict).ok, true, 'what it refused before, ACKed');
    const reloads = 'extension_config_discovery.http_filter.two.config_reload';
    assert.equal(await envoy.stat(reloads), 2, '… and not tried');
    assert.equal(lastAsked(xds)?.version, '4', 'now the version tells of what it does not run');

    const good = xds.pushSlot('two', '5', PASS_THROUGH);
    await good.verdict;
    await xds.pushListener('2', rawListener('main', slots('one', 'two', 'three'))).verdict;
    await xds.waitSubscribed('three');
    assert.deepEqual(lastAsked(xds), { names: ['one', 'three', 'two'], version: '5', nonce: good.nonce });
  });

function isForPlaces({ typeUrl }: { readonly typeUrl: string }): boolean {
  return typeUrl === EXTENSION_CONFIG_TYPE;
}

/** Its newest request for places. */
function lastAsked({ requests }: RawXdsServer) {
  const last = requests.findLast(isForPlaces);
  return last && { names: [...last.names].sort(), version: last.versionInfo, nonce: last.responseNonce };
}
