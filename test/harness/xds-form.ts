import type { ProtocolForm } from '../../src/xds/stream/channel.ts';

/** In which form of xDS the Envoys of a test ask: `ATTACHE_XDS_FORM`, `delta` (default) or `sotw`. */
export const XDS_FORM: ProtocolForm = readForm(process.env.ATTACHE_XDS_FORM);

/** What a bootstrap calls it. */
export const API_TYPE = toApiType(XDS_FORM);

export function toApiType(form: ProtocolForm): 'DELTA_GRPC' | 'GRPC' {
  return form === 'delta' ? 'DELTA_GRPC' : 'GRPC';
}

function readForm(text = 'delta'): ProtocolForm {
  if (text !== 'delta' && text !== 'sotw') throw new Error(`ATTACHE_XDS_FORM: ${text}: delta or sotw`);
  return text;
}
