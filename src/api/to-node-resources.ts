import { setImmediate } from 'node:timers/promises';
import { toMessage } from '../model/error.ts';
import { type ConfigStatus, type NodeConfig, type ResourceConfig, versionOf } from '../model/node-config.ts';
import type { ShowResource } from '../model/show-resource.ts';
import { SECRET_TYPE, XDS_TYPES } from '../model/type-url.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeConfigView, ResourceContent } from './schema/node-config-view.ts';
import type { ResourceOnNode, ResourceStateWord } from './schema/node-view.ts';

const WORDS: Readonly<Record<ConfigStatus, ResourceStateWord>> = {
  UNKNOWN: 'Unknown',
  SYNCED: 'Accepted',
  NOT_SENT: 'Pending',
  STALE: 'Sent',
  ERROR: 'Refused',
};

/** How far each resource of a node got. */
export function toNodeResources({ resources }: NodeConfig): ResourceOnNode[] {
  return resources.map(resource => {
    const { typeUrl, name, wantedVersion, sentVersion, ackedVersion, refused, at } = resource;
    return {
      type: toPlural(typeUrl),
      name,
      state: toWord(resource),
      wantedVersion,
      sentVersion,
      ackedVersion,
      refusedVersion: refused?.version ?? null,
      message: refused?.message ?? null,
      since: at === null ? null : toTime(at),
    };
  });
}

export interface ConfigOptions {
  readonly show: ShowResource;
  readonly connected: boolean;
  readonly now: number;
  /** `listeners`, `clusters` …; undefined: all. */
  readonly type: string | undefined;
}

/** Some ten milliseconds of decoding: then it is the turn of others. */
const AT_ONCE = 50;

/** The resources of a node with their content. */
export async function toNodeConfigView(
  { node, resources }: NodeConfig,
  { show, connected, now, type }: ConfigOptions,
): Promise<NodeConfigView> {
  const wanted = resources.filter(({ typeUrl }) => type === undefined || toPlural(typeUrl) === type);
  const contents: ResourceContent[] = [];
  for (const [i, resource] of wanted.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await setImmediate();
    contents.push(toContent(resource, show));
  }
  return {
    kind: 'NodeConfig',
    node: node.id,
    connected,
    at: toTime(now),
    resources: contents,
    leftOut: [
      'Secrets: of secrets nothing but the name; of other resources, what Envoy’s API marks as sensitive (`redacted` says where).',
      'Module URLs stand without the part that lets this one node download the module, and without the tag that tells one sending from the next.',
    ],
  };
}

function toContent(resource: ResourceConfig, show: ShowResource): ResourceContent {
  const { typeUrl, name, config } = resource;
  const head = {
    type: toPlural(typeUrl),
    name,
    state: toWord(resource),
    version: versionOf(resource) || null,
  };
  if (config === null) return { ...head, resource: null, redacted: [], note: sayAbsent(resource) };
  try {
    const { json, redacted } = show(config);
    return { ...head, resource: json, redacted: [...redacted], note: toNote(resource) };
  } catch (error) {
    return { ...head, resource: null, redacted: [], note: `cannot be shown: ${toMessage(error)}` };
  }
}

function sayAbsent({ typeUrl, wantedVersion }: ResourceConfig): string {
  if (typeUrl === SECRET_TYPE) return 'a secret is never shown';
  if (wantedVersion === null) return 'the node is not to have it any more, and it is not kept';
  return 'this version is not wanted any more, and it is not kept';
}

function toNote({ status, ackedVersion, asked }: ResourceConfig): string | null {
  if (status === 'UNKNOWN')
    return 'the node is not connected: this is what it is to have, and what it has is not known';
  const before = ackedVersion === null ? '' : `; the node has version ${ackedVersion}`;
  if (status === 'NOT_SENT' && before === '' && !asked) return 'not sent: nothing on the node asks for it';
  if (status === 'NOT_SENT') return `not sent: this is what the node is to have${before}`;
  return status === 'ERROR' ? `refused${before}` : null;
}

function toWord({ status, asked, ackedVersion }: ResourceConfig): ResourceStateWord {
  return status === 'NOT_SENT' && !asked && ackedVersion === null ? 'NotAsked' : WORDS[status];
}

function toPlural(typeUrl: string): string {
  return XDS_TYPES.find(row => row.typeUrl === typeUrl)?.plural ?? typeUrl;
}
