/** `attache bootstrap --from` on bootstraps as people have them: what of theirs comes out, and what is said about it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { manageBootstrap } from '../../src/cli/bootstrap-from.ts';
import { describeManaged } from '../../src/cli/bootstrap-summary.ts';
import { judgeBootstrap } from '../../src/cli/doctor/judge-bootstrap.ts';
import { readBootstrap } from '../../src/cli/doctor/read-bootstrap.ts';
import { parseResourceDocument } from '../../src/model/resource-document.ts';
import { FROM_OPTIONS, readShape, SHAPES, toShapePath } from '../harness/bootstrap-shapes.ts';

const read = (text: string) => parse(text, { logLevel: 'error' });

/** Whether all of `part` is in `whole`: every field, and of lists every item in its order. */
function holds(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    if (!Array.isArray(whole)) return false;
    let from = 0;
    return part.every(item => {
      const at = whole.findIndex((one, i) => i >= from && holds(one, item));
      from = at + 1;
      return at >= 0;
    });
  }
  if (typeof part !== 'object' || part === null) return whole === part || part === null;
  // One thing in place of a list becomes an item of one.
  if (Array.isArray(whole)) return whole.some(item => holds(item, part));
  if (typeof whole !== 'object' || whole === null) return false;
  return Object.entries(part).every(([key, value]) => holds((whole as Record<string, unknown>)[key], value));
}

/** Whether `text` is `original` with something put in, and nothing taken out. */
function isCompleted(text: string, original: string): boolean {
  let from = 0;
  return [...original].every(character => {
    from = text.indexOf(character, from) + 1;
    return from > 0;
  });
}

for (const shape of SHAPES) {
  test(`${shape}: everything of the user's comes out, and the summary says what was done`, () => {
    const own = readShape(shape);
    const managed = manageBootstrap(own, shape, { ...FROM_OPTIONS, id: undefined, ...WITHOUT_ID[shape] });
    assert.ok(holds(read(managed.text), read(own)));
    assert.ok(isCompleted(managed.text, own));
    const summary = `${describeManaged(shape, managed, FROM_OPTIONS)}\n`;
    const golden = toShapePath(`${shape}.summary.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, summary);
    assert.equal(summary, readFileSync(golden, 'utf8'));
  });

  test(`${shape}: nothing is broken in what comes out`, () => {
    const { text } = manageBootstrap(readShape(shape), shape, FROM_OPTIONS);
    const problems = judgeBootstrap(readBootstrap(read(text))).filter(({ level }) => level === 'problem');
    assert.deepEqual(problems, []);
  });

  test(`${shape}: done a second time it stays as it is`, () => {
    const once = manageBootstrap(readShape(shape), shape, FROM_OPTIONS).text;
    assert.deepEqual(read(manageBootstrap(once, shape, FROM_OPTIONS).text), read(once));
  });

  test(`${shape}: lines that end as on Windows go on to`, () => {
    const own = readShape(shape).replaceAll('\n', '\r\n');
    const { text } = manageBootstrap(own, shape, FROM_OPTIONS);
    assert.equal(text.replaceAll('\r\n', '').includes('\n'), false);
    assert.deepEqual(read(text), read(manageBootstrap(readShape(shape), shape, FROM_OPTIONS).text));
  });
}

/** Files without a node. */
const WITHOUT_ID: Readonly<Record<string, { id: string }>> = Object.fromEntries(
  ['edge.yaml', 'sinks.yaml', 'sidecar.json', 'own-wasm.yaml', 'http3.yaml'].map(name => [
    name,
    { id: 'web-1' },
  ]),
);
test('a map that stands for a list becomes an item behind ours, deeper by two', () => {
  const { text } = manageBootstrap(readShape('edge.yaml'), 'edge.yaml', FROM_OPTIONS);
  const { clusters, listeners } = read(text).static_resources;
  assert.deepEqual(
    clusters.map((cluster: { name: string }) => cluster.name),
    ['attache_xds', 'attache_modules', 'service_foo'],
  );
  const filters = listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
  assert.deepEqual([filters.length, filters[4].name], [5, 'envoy.filters.http.router']);
  assert.match(
    text,
    /\n {4}- name: service_foo {3}# one cluster, not in a list\n {6}connect_timeout: 5s\n\n/,
  );
});

test('places are put into an anchor once, above a comment at the start of a line, and beside aliases', () => {
  const anchored = manageBootstrap(readShape('anchors.yaml'), 'anchors.yaml', FROM_OPTIONS);
  assert.deepEqual(
    anchored.listeners.map(one => [one.facts.name, one.added]),
    [
      ['plain', ['attache.authn', 'attache.authz', 'attache.stats', 'attache.last']],
      ['encrypted', []],
      ['inner', ['attache.authn/inner', 'attache.authz/inner', 'attache.stats/inner', 'attache.last/inner']],
    ],
  );
  const sni = manageBootstrap(readShape('tls-sni.yaml'), 'tls-sni.yaml', FROM_OPTIONS);
  assert.match(sni.text, /\n {18}- name: attache\.authn\n/);
  assert.equal(sni.text.match(/- name: attache\.authn\n|"name": "attache\.authn"/g)?.length, 2);
});

test('an Envoy with another control plane keeps it; its places ask Attaché over streams of their own', () => {
  const { text, ads } = manageBootstrap(readShape('other-ads.yaml'), 'other-ads.yaml', FROM_OPTIONS);
  const { dynamic_resources, static_resources } = read(text);
  assert.equal(ads, 'other');
  assert.deepEqual(dynamic_resources, read(readShape('other-ads.yaml')).dynamic_resources);
  const [place] = static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
  const { api_config_source, ...source } = place.config_discovery.config_source;
  assert.deepEqual(source, { resource_api_version: 'V3', initial_fetch_timeout: '0s' });
  assert.equal(api_config_source.grpc_services[0].envoy_grpc.cluster_name, 'attache_xds');
});

for (const shape of SHAPES.filter(name => !['files.yaml', 'other-ads.yaml', 'taken.yaml'].includes(name)))
  test(`${shape}: its listeners become documents, and the rest stays`, () => {
    const own = readShape(shape);
    const options = { ...FROM_OPTIONS, namespace: 'edge', labels: { role: 'edge' } };
    const { text, moved } = manageBootstrap(own, shape, options, 'move');
    const before = read(own);
    const key = shape === 'sidecar.json' ? 'staticResources' : 'static_resources';
    assert.deepEqual(read(text)[key].listeners, []);
    assert.ok(holds(read(text), { ...before, [key]: { ...before[key], listeners: [] }, node: {} }));
    const documents = moved.map(one => {
      const [document] = parseAllDocuments(one.text).map(part => part.toJS());
      const parsed = parseResourceDocument(document);
      assert.ok('resource' in parsed, JSON.stringify(parsed));
      assert.deepEqual([parsed.type, parsed.namespace], ['listeners', 'edge']);
      assert.deepEqual(parsed.selector, { matchLabels: { role: 'edge' } });
      const { '@type': _, ...resource } = parsed.resource;
      return resource;
    });
    const listeners = [before[key].listeners].flat();
    const whole = listeners.map((one: object, i: number) => ({ ...one, name: moved[i]?.name }));
    assert.ok(holds(documents, withoutStructs(whole)));
  });

/** What stands in a TypedStruct, with its own type. */
function withoutStructs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStructs);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, withoutStructs(one)] as const);
  const { type_url: type, value: fields, ...rest } = Object.fromEntries(entries);
  return type === undefined
    ? { ...rest, ...(fields === undefined ? {} : { value: fields }) }
    : { ...(fields as object), '@type': type };
}

test('what stands in a TypedStruct is written with its own type', () => {
  const { moved } = manageBootstrap(readShape('listeners.yaml'), 'envoy.yaml', FROM_OPTIONS, 'move');
  const { filter_chains } = read(moved[1]?.text ?? '').spec.resource;
  const { '@type': type, stat_prefix } = filter_chains[0].filters[0].typed_config;
  assert.match(type, /HttpConnectionManager$/);
  assert.equal(stat_prefix, 'outbound');
});

test('a moved listener keeps its comments and its name, and one without a name gets one', () => {
  const { moved } = manageBootstrap(readShape('listeners.yaml'), 'envoy.yaml', FROM_OPTIONS, 'move');
  assert.deepEqual(
    moved.map(({ name, file, named }) => [name, file, named]),
    [
      ['inbound', 'inbound.yaml', false],
      ['outbound', 'outbound.yaml', false],
      ['database', 'database.yaml', false],
      ['listener-10003', 'listener-10003.yaml', true],
    ],
  );
  assert.match(moved[0]?.text ?? '', /# must stay last/);
  assert.doesNotMatch(moved[0]?.text ?? '', /selector/);
});
