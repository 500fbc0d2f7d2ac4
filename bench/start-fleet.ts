import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPILE_FORMAT } from '../src/compile/compile-format.ts';
import type { Assignment } from '../src/model/assignment.ts';
import type { NodePresence } from '../src/model/node.ts';
import type { NodeVerdict } from '../src/model/node-verdict.ts';
import { type PluginSpec, sha256Hex, toPluginName } from '../src/model/plugin-spec.ts';
import {
  hashConfig,
  hashRevision,
  type ModuleProgress,
  type Revision,
  toRevisionConfig,
} from '../src/model/revision.ts';
import { toPlacement } from '../src/model/rollout-targets.ts';
import { revisionKey, verdictKey } from '../src/store/record-kinds.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import type { Operation } from '../src/store/store.ts';
import { clock } from '../src/system.ts';

export interface FleetSize {
  readonly plugins: number;
  readonly nodes: number;
}

/** Kinds of nodes: each plugin is for one of them, and each node has that part of all plugins. */
const KINDS = 100;
const PLACE = 'attache.authn';
/** Nobody runs it: it has to be there. */
const BYTES = Buffer.from('the module of all plugins');
const MODULE = {
  sha256: sha256Hex(BYTES),
  sizeBytes: BYTES.length,
  layout: 'oci-image',
  abi: '0.2.1',
  importCount: 12,
};

/** What nodes of a kind said of their place: they were pushed the same, one kind after the other, and so they share it. */
type Said = Pick<NodeVerdict, 'tried' | 'accepted'>;

const NOTHING: Said = { tried: null, accepted: null };

/** Fills a data directory that no server has open: every plugin is on its nodes, which were connected once. */
export async function fillDirectory(directory: string, { plugins, nodes }: FleetSize): Promise<void> {
  const blobs = join(directory, 'modules', 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  await writeFile(join(blobs, MODULE.sha256), BYTES);
  const store = await openSqliteStore({ directory, clock });
  try {
    const specs = Array.from({ length: plugins }, (_, i) => makeSpec(i));
    const revision = await store.transaction(
      specs.map(spec => ({ op: 'put', kind: 'PluginSpec', key: toPluginName(spec), value: spec })),
    );
    await store.transaction(specs.flatMap(spec => toRecords(spec, revision)));
    const ids = Array.from({ length: nodes }, (_, i) => i).sort((a, b) => (a % KINDS) - (b % KINDS) || a - b);
    const said = Array.from({ length: KINDS }, (_, kind) => toSaid(kind, plugins));
    for (let from = 0; from < nodes; from += 500)
      await store.transaction(
        ids.slice(from, from + 500).flatMap(i => toNodeRecords(i, said[i % KINDS] ?? NOTHING)),
      );
  } finally {
    await store.close();
  }
}

function makeSpec(i: number): PluginSpec {
  return {
    namespace: 'default',
    name: `plugin-${i}`,
    url: `oci://registry.example/plugins/plugin-${i}:1.0`,
    phase: 'AUTHN',
    selector: { matchLabels: { kind: `kind-${i % KINDS}` } },
    pluginConfig: { i, padding: 'x'.repeat(500) },
    imagePullPolicy: 'IfNotPresent',
    by: 'bench',
    createdAt: 1,
  };
}

function toRecords(spec: PluginSpec, specRevision: number): readonly Operation[] {
  const plugin = toPluginName(spec);
  const config = toRevisionConfig(spec);
  const revision: Revision = {
    plugin,
    number: 1,
    contentHash: hashRevision(MODULE.sha256, config),
    configHash: hashConfig(config),
    config,
    module: { ...MODULE, url: spec.url },
    createdAt: 1,
  };
  const base = { revision: 1, placement: toPlacement(spec), format: COMPILE_FORMAT };
  const assignment: Assignment = { plugin, createdAt: 1, base, moved: [], since: 1 };
  const progress: ModuleProgress = { plugin, specRevision, state: 'ready', revision: 1, since: 1 };
  return [
    { op: 'put', kind: 'Revision', key: revisionKey(plugin, 1), value: revision },
    { op: 'put', kind: 'Assignment', key: plugin, value: assignment },
    { op: 'put', kind: 'ModuleProgress', key: plugin, value: progress },
  ];
}

function toSaid(kind: number, plugins: number): Said {
  const own = Math.ceil(Math.max(0, plugins - kind) / KINDS);
  const inSlot = Array.from({ length: own }, (_, k) => ({
    plugin: `default/plugin-${kind + k * KINDS}`,
    revision: 1,
  }));
  const contentHash = 'cd'.repeat(32);
  return {
    tried: { contentHash, acked: true, plugins: inSlot },
    accepted: { contentHash, at: Date.now() - 60_000, plugins: inSlot },
  };
}

function toNodeRecords(i: number, { tried, accepted }: Said): readonly Operation[] {
  const id = `node-${i}`;
  const process = i.toString(16).padStart(16, '0');
  const at = Date.now() - 60_000;
  const presence: NodePresence = {
    node: {
      id,
      cluster: 'bench',
      namespace: 'default',
      labels: { kind: `kind-${i % KINDS}` },
      zone: '',
      envoyVersion: '1.40.0',
      capabilities: { filterChain: true, wasm: true, failReload: true },
      bootstrap: {},
    },
    process,
    connected: true,
    since: at,
    lastAckAt: at,
    firstSeenAt: at,
    slots: [PLACE],
    nacks: [],
  };
  const verdict: NodeVerdict = {
    node: id,
    process,
    slot: PLACE,
    state: 'accepted',
    since: at,
    tried,
    accepted,
    refused: null,
  };
  return [
    { op: 'put', kind: 'NodePresence', key: id, value: presence },
    { op: 'put', kind: 'NodeVerdict', key: verdictKey(id, PLACE), value: verdict },
  ];
}
