import { PROBE_NAME, PROBE_SHA256 } from '../model/plugin-place.ts';
import { hashConfig, hashRevision, type Revision, type RevisionConfig } from '../model/revision.ts';

const config: RevisionConfig = { env: [], phase: 'UNSPECIFIED_PHASE', priority: 0, match: [] };

/** A plugin whose module nobody has: what WantedSlot.probe pushes to see whether a GET comes. */
export const PROBE: Revision = {
  plugin: PROBE_NAME,
  number: 0,
  contentHash: hashRevision(PROBE_SHA256, config),
  configHash: hashConfig(config),
  config,
  module: { sha256: PROBE_SHA256, sizeBytes: 0, url: '', layout: 'none', abi: '0.2.1', importCount: 0 },
  createdAt: 0,
};
