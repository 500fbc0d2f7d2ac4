import { type DocumentPart, toDefined } from './document-part.ts';
import type { TargetRef, TrafficMatch } from './plugin-spec.ts';

const REF_KINDS = ['Gateway', 'GatewayClass', 'NodeGroup', 'Listener'] as const;
/** They mean something elsewhere; here a document that names one would silently reach nothing. */
const REFUSED_KINDS: Readonly<Record<string, string>> = {
  Service: 'waypoints of a mesh have services; Envoys here are chosen by labels',
  ServiceEntry: 'waypoints of a mesh have service entries; Envoys here are chosen by labels',
};

/** `targetRefs`, or the older `targetRef` as a list of one; neither goes with `selector`. */
export function readTargetRefs(fields: ReadonlyMap<string, DocumentPart>): readonly TargetRef[] | undefined {
  const one = fields.get('targetRef');
  const many = fields.get('targetRefs');
  if (one !== undefined && many !== undefined)
    one.fault('contradiction', 'targetRef and targetRefs exclude each other', 'Use targetRefs.');
  const written = one ?? many;
  if (written !== undefined && fields.has('selector'))
    written.fault('contradiction', 'selector and targetRefs exclude each other', 'Keep one of them.');
  const items = [...(one === undefined ? [] : [one]), ...(many?.items(16) ?? [])];
  const refs = items.map(readTargetRef).filter(ref => ref !== undefined);
  return refs.length === 0 ? undefined : refs;
}

function readTargetRef(item: DocumentPart): TargetRef | undefined {
  const fields = item.fields(['group', 'kind', 'name', 'namespace']);
  fields
    .get('namespace')
    ?.fault('not-supported', 'a target is always in the namespace of the plugin', 'Leave namespace out.');
  const group = fields.get('group')?.text({ max: 253 });
  const name = fields.get('name')?.text({ min: 1, max: 253 });
  if (!fields.has('name')) item.missing('name');
  const kindPart = fields.get('kind');
  if (kindPart === undefined) return item.missing('kind', `One of ${REF_KINDS.join(', ')}`);
  const why = Object.entries(REFUSED_KINDS).find(([kind]) => kind === kindPart.value)?.[1];
  if (why !== undefined) return kindPart.fault('not-supported', why);
  const kind = kindPart.oneOf(REF_KINDS);
  return kind === undefined || name === undefined ? undefined : toDefined({ kind, group, name });
}

/** `match[]`; an undefined mode is the default, CLIENT_AND_SERVER. */
export function readMatch(part: DocumentPart | undefined): readonly TrafficMatch[] | undefined {
  return part?.items(64).map(item => {
    const fields = item.fields(['mode', 'ports']);
    const mode = fields.get('mode')?.oneOf(['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER']);
    return toDefined({
      mode: mode === 'UNDEFINED' ? undefined : mode,
      ports: readPorts(fields.get('ports')),
    });
  });
}

function readPorts(part: DocumentPart | undefined): readonly number[] | undefined {
  return part
    ?.items(256)
    .map(item => {
      const number = item.fields(['number']).get('number');
      if (number === undefined && typeof item.value === 'object') return item.missing('number');
      return number?.integer(1, 65535);
    })
    .filter(port => port !== undefined);
}
