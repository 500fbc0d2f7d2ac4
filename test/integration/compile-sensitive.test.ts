/** What is never shown, against the descriptors inside an Envoy. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { readProtosets } from '../../src/compile/protoset.ts';
import { isSensitive } from '../../src/compile/sensitive-mark.ts';
import { envoyBinary } from '../harness/envoy-binary.ts';
import { takeProtoset } from '../harness/envoy-descriptors.ts';

const VERSION = '1.40.0';

/** `<message> <field number>` of every field that a type marks, its nested types too. */
function* marksOf(type: protobuf.Type, fullName: string): Iterable<readonly [string, protobuf.Field]> {
  for (const field of type.fieldsArray) if (isSensitive(field)) yield [fullName, field];
  for (const nested of type.nestedArray)
    if (nested instanceof protobuf.Type) yield* marksOf(nested, `${fullName}.${nested.name}`);
}

test('every field that an Envoy marks as sensitive is so for us, if we know its type', async () => {
  const binary = (await readFile(await envoyBinary(VERSION))).toString('latin1');
  // The name of a file is the first field of its descriptor, its package the second.
  const named = [...binary.matchAll(/\n.(envoy\/[a-z0-9_/]+\.proto)/g)].filter(
    ({ 0: text, index }) => binary.charCodeAt(index + text.length) === 18,
  );
  const paths = new Set(named.map(([, path = '']) => path));
  assert.ok(paths.size > 300, `${paths.size} files found`);
  const set = readProtosets([{ path: VERSION, bytes: await takeProtoset(VERSION, [...paths]) }]);
  const registry = new ProtoRegistry();
  const marked = [...paths].flatMap(path => {
    const file = set.file(path);
    return (file?.build() ?? []).flatMap(type =>
      type instanceof protobuf.Type ? [...marksOf(type, `${file?.packageName}.${type.name}`)] : [],
    );
  });
  assert.ok(marked.length > 20, `${marked.length} marks found`);
  const missing = marked.filter(([fullName, { id }]) => {
    const ours = registry.find(fullName);
    const field = ours?.fieldsById[id];
    return ours !== undefined && (field === undefined || !isSensitive(field));
  });
  assert.deepEqual(
    missing.map(([fullName, { name }]) => `${fullName}.${name}`),
    [],
  );
});
