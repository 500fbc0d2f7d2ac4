/** Clients of either form of the protocol: the same story told in both. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../src/model/type-url.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { type StreamKind, XdsConnection, type XdsStream } from './xds-client.ts';
import { CDS, type SceneOptions, setUp, type World } from './xds-scene.ts';
import { applyResponse, type Response, versionOf } from './xds-wire.ts';

export const FORMS: readonly ProtocolForm[] = ['delta', 'sotw'];

const FENCE_NODE = 'fence';

/** As setUp, with clients of one form. */
export async function setUpForm(t: TestContext, form: ProtocolForm, world?: World, options?: SceneOptions) {
  const scene = await setUp(t, world, options);
  scene.set({}, FENCE_NODE);
  const connect = (): XdsConnection => stopAfter(t, new XdsConnection(scene.server.address.port, form));
  const connection = connect();
  const open = (node?: string, kind?: StreamKind): XdsStream => connection.open(node, kind);
  return { ...scene, connect, connection, open };
}

/** What a response changes for this client, alike in both forms: `cds b@2 -c`; extension configs as they are. */
export function newsOf(stream: XdsStream, response: Response): string {
  const { typeUrl } = response;
  const before = stream.held(typeUrl);
  const after = applyResponse(stream.form, before, response);
  const isPlace = typeUrl === EXTENSION_CONFIG_TYPE;
  const told = isPlace
    ? response.resources.map(it => [it.name, versionOf(typeUrl, it)] as const)
    : [...after];
  const changed = told.filter(([name, version]) => isPlace || before.get(name) !== version);
  const gone = [...before.keys()].filter(name => !after.has(name)).map(name => `-${name}`);
  const short = XDS_TYPES.find(type => type.typeUrl === typeUrl)?.short ?? typeUrl;
  const texts = changed.map(([name, version]) => `${name}${isPlace ? ': ' : '@'}${version}`);
  return [short, ...texts, ...gone].join(' ');
}

/** The next response, ACKed: its news. */
export async function learn(stream: XdsStream): Promise<string> {
  const response = await stream.next();
  const news = newsOf(stream, response);
  stream.answer(response);
  return news;
}

const fences = new WeakMap<XdsConnection, XdsStream>();

/** That nothing is due on this stream: what is asked for now, of another stream of its connection, comes first. */
export async function assertQuiet(stream: XdsStream): Promise<void> {
  const { connection } = stream;
  const fence = fences.get(connection) ?? connection.open(FENCE_NODE, { form: 'delta' });
  fences.set(connection, fence);
  // Twice: what the first answers set off is over then as well.
  for (let i = 0; i < 2; i++) {
    const name = `fence-${randomBytes(4).toString('hex')}`;
    fence.ask(CDS, [name]);
    while (!(await fence.accept()).removed.includes(name));
  }
  const due = stream.responses.map(response => newsOf(stream, response));
  assert.deepEqual(due, []);
}
