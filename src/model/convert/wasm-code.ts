import type { DraftField } from './plugin-draft.ts';
import type { SourcePart } from './source-part.ts';

const PUSH =
  'attache push FILE.wasm HOST/NAME:TAG, and convert again with code.remote of that oci:// address';

/**
 * The module of a VmConfig: `url` and `sha256` of one that is remote. A file on the proxy and bytes in the document are
 * errors: there is nothing that a control plane elsewhere could fetch.
 */
export function readCode(vm: SourcePart): { readonly url?: DraftField; readonly sha256?: DraftField } {
  const code = vm.get('code');
  if (code === undefined) {
    vm.refuse('missing-field', 'code is missing: there is no module');
    return {};
  }
  const local = code.get('local');
  if (local !== undefined) refuseLocal(local);
  const remote = code.get('remote');
  if (remote !== undefined) return readRemote(remote);
  if (local === undefined) code.refuse('missing-field', 'neither remote nor local: there is no module');
  return {};
}

function refuseLocal(local: SourcePart): void {
  const filename = local.get('filename');
  if (filename !== undefined)
    filename.refuse('file-on-node', 'the module is a file on the proxy, where Attaché cannot fetch it', PUSH);
  else if (local.path('environment_variable') !== undefined)
    local.refuse('file-on-node', 'the module is in a variable of the proxy', PUSH);
  else local.refuse('inline-module', 'the module stands in the document itself', `Save it: ${PUSH}`);
}

function readRemote(remote: SourcePart): { readonly url?: DraftField; readonly sha256?: DraftField } {
  const http = remote.path('http_uri');
  const uri = http?.get('uri');
  const url = uri?.text();
  if (uri === undefined) remote.refuse('missing-field', 'http_uri.uri is missing');
  http?.get('cluster')?.note('left out: Attaché fetches the module, and serves it to the Envoys itself');
  remote.path('retry_policy')?.note('left out: Attaché has its own');
  const digest = remote.get('sha256');
  const text = digest?.text()?.toLowerCase();
  // What istiod writes where nobody wrote one: Envoy wants the field to be there.
  const hex = text === 'nil' ? undefined : text;
  if (uri !== undefined && hex === undefined && !url?.includes('@sha256:'))
    uri.warn('without a sha256 whatever stands there is taken', 'Write spec.sha256 into the plugin.');
  return {
    ...(uri === undefined || url === undefined ? {} : { url: { value: url, part: uri } }),
    ...(digest === undefined || hex === undefined ? {} : { sha256: { value: hex, part: digest } }),
  };
}

/** A `file://` address: a path on the proxy in Istio, one on the control plane here. */
export function refuseFileUrl(url: SourcePart | undefined): boolean {
  if (typeof url?.value !== 'string' || !url.value.startsWith('file://')) return false;
  url.refuse(
    'file-on-node',
    'file:// is a path on the proxy there, and one on the control plane here',
    'attache push FILE.wasm HOST/NAME:TAG, and write that oci:// address as url.',
  );
  return true;
}
