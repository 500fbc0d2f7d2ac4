import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProtoFiles } from '../../src/compile/proto-files.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';

function filesOf(texts: Readonly<Record<string, string>>): ProtoFiles {
  return {
    read: path => texts[path],
    list: folder => Object.keys(texts).filter(path => path.replace(/\/[^/]*$/, '') === folder),
  };
}

const head = 'syntax = "proto3";\npackage a.v1;\n';
const base = `${head}message M {
  string old = 1;
  string other = 2;
  oneof kind { string one = 3; }
  message Inner { string x = 1; }
  enum Color { RED = 0; }
}
`;
const overlay = `${head}import "b/v1/b.proto";
message M {
  int32 changed = 2;
  b.v1.B added = 5;
  Color color = 6;
  oneof kind { string two = 4; }
  message Inner { string y = 2; }
  enum Color { BLUE = 1; }
}
message New { M m = 1; }
`;
const registry = new ProtoRegistry(
  filesOf({
    'a/v1/m.proto': base,
    'a/v1/overlay.proto': overlay,
    'b/v1/b.proto': 'syntax = "proto3";\npackage b.v1;\nmessage B { string z = 1; }\n',
    'c/v1/c.proto':
      'syntax = "proto3";\npackage c.v1;\nimport "a/v1/m.proto";\nmessage C { a.v1.M m = 1; }\n',
  }),
);

test('an overlay adds fields, nested ones and enum values too, and replaces those of its numbers', () => {
  const json = { old: 'o', changed: 7, added: { z: 'z' }, color: 'BLUE', two: 't' };
  assert.deepEqual(registry.decode('a.v1.M', registry.encode('a.v1.M', json)), json);
  assert.deepEqual(registry.decode('a.v1.M.Inner', registry.encode('a.v1.M.Inner', { x: '1', y: '2' })), {
    x: '1',
    y: '2',
  });
  assert.throws(() => registry.encode('a.v1.M', { other: 'gone' }), { code: 'unknown-field' });
});

test('a member that an overlay adds to a oneof excludes the others', () => {
  assert.throws(() => registry.encode('a.v1.M', { one: '1', two: '2' }), { code: 'wrong-type' });
});

test('whole types come from an overlay, whichever of its package is asked for first', () => {
  const [m] = Object.values(registry.decode('a.v1.New', registry.encode('a.v1.New', { m: { changed: 1 } })));
  assert.deepEqual(m, { changed: 1 });
  assert.ok(registry.encode('c.v1.C', { m: { added: {} } }).length > 0);
});
