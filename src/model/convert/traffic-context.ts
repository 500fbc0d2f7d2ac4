import { type DraftField, toField } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';

/** `SIDECAR_INBOUND` as EnvoyFilters write it, `inbound` as wasme does. */
const MODES: ReadonlyMap<string, 'SERVER' | 'CLIENT' | 'ANY'> = new Map([
  ['SIDECAR_INBOUND', 'SERVER'],
  ['SIDECAR_OUTBOUND', 'CLIENT'],
  ['GATEWAY', 'CLIENT'],
  ['ANY', 'ANY'],
  ['INBOUND', 'SERVER'],
  ['OUTBOUND', 'CLIENT'],
]);

/** `match` of a plugin, from the context of a patch and a port of the listener; undefined: every listener. */
export function readTraffic(context: SourcePart | undefined, port?: SourcePart): DraftField | undefined {
  const mode = context === undefined ? 'ANY' : MODES.get((context.text() ?? 'ANY').toUpperCase());
  if (mode === undefined)
    return context?.refuse('not-supported', 'this context has no listeners that a plugin could be on');
  const entry = {
    ...(mode === 'ANY' ? {} : { mode }),
    ...(port === undefined || port.value === 0 ? {} : { ports: [{ number: port.value }] }),
  };
  return Object.keys(entry).length === 0 ? undefined : toField(port ?? context, [entry]);
}
