import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet } from '../../src/api/fleet.ts';
import { toModuleViews } from '../../src/api/to-module-views.ts';
import { toSignatureView } from '../../src/api/to-signature-view.ts';
import type { ModuleSignature } from '../../src/model/module-signature.ts';
import { hashConfig, hashRevision, type Revision, toRevisionConfig } from '../../src/model/revision.ts';

const SHA256 = 'a'.repeat(64);
const none = new Map();
const nobody = {
  nodes: [],
  verdicts: none,
  specs: none,
  progress: none,
  assignments: none,
  rollouts: none,
} as unknown as Fleet;
const storage = { here: new Set([SHA256]), inRegistry: new Set<string>() };
const verified: ModuleSignature = {
  state: 'verified',
  by: [
    {
      authority: 'release',
      fingerprint: `sha256:${'c'.repeat(64)}`,
      signed: 'index',
      digest: `sha256:${'d'.repeat(64)}`,
      format: 'bundle',
    },
  ],
  refused: false,
  policy: 'p',
  checkedAt: 5_000,
};
const unsigned: ModuleSignature = {
  ...verified,
  state: 'unsigned',
  by: [],
  why: 'nobody did',
  refused: true,
};

function revision(number: number, url: string, signature?: ModuleSignature): Revision {
  const config = toRevisionConfig({
    namespace: 'default',
    name: 'auth',
    url,
    createdAt: 0,
    priority: number,
  });
  return {
    plugin: 'default/auth',
    number,
    contentHash: hashRevision(SHA256, config),
    configHash: hashConfig(config),
    config,
    module: {
      sha256: SHA256,
      sizeBytes: 1,
      url,
      layout: 'cncf',
      abi: '0.2.1',
      importCount: 1,
      ...(signature === undefined ? {} : { signature }),
    },
    createdAt: number,
  };
}

test('a signature as an answer', () => {
  assert.equal(toSignatureView(undefined), null);
  assert.deepEqual(toSignatureView(verified), {
    state: 'verified',
    text: 'verified by release',
    why: null,
    refused: false,
    by: verified.by,
    checkedAt: '1970-01-01T00:00:05.000Z',
  });
  const own = verified.by.map(({ authority: _authority, ...proof }) => proof);
  const view = toSignatureView({ ...verified, by: own });
  assert.deepEqual([view?.text, view?.by[0]?.authority], ['verified by key cccccccccccc', null]);
  assert.equal(toSignatureView(unsigned)?.text, 'not signed: nobody did');
});

test('a module tells of each place what is known of its signatures, once', () => {
  const [module, ...more] = toModuleViews(
    nobody,
    [
      revision(1, 'r/a:1'),
      revision(2, 'r/a:1', verified),
      revision(3, 'r/a:1', { ...verified, checkedAt: 9_000 }),
      revision(4, 'r/b:1', unsigned),
    ],
    storage,
  );
  assert.equal(more.length, 0);
  assert.deepEqual(
    module?.signatures.map(({ url, text, checkedAt }) => [url, text, checkedAt]),
    [
      ['r/a:1', 'verified by release', '1970-01-01T00:00:09.000Z'],
      ['r/b:1', 'not signed: nobody did', '1970-01-01T00:00:05.000Z'],
    ],
  );
});

test('a module says why it is kept, by revision, and whether it is here', () => {
  const assignment = { plugin: 'default/auth', base: { revision: 2 }, moved: [] };
  const spec = { value: { namespace: 'default', name: 'auth' } };
  const fleet = {
    ...nobody,
    assignments: new Map([['default/auth', assignment]]),
    specs: new Map([['default/auth', spec]]),
  } as unknown as Fleet;
  const [module] = toModuleViews(fleet, [revision(1, 'r/a:1'), revision(2, 'r/a:2')], storage);
  assert.deepEqual(
    module?.heldBy.map(({ revision: of, why }) => [of, why]),
    [
      [1, 'spare'],
      [2, 'live'],
    ],
  );
  assert.deepEqual([module?.here, module?.inRegistry], [true, false]);
});
