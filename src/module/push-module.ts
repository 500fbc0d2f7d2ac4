import { isIP } from 'node:net';
import { type PushedModule, parsePushReference, pushArtifact } from './push-artifact.ts';
import { createRegistryClient } from './registry-client.ts';

export interface PushModuleRequest {
  readonly bytes: Uint8Array;
  /** `HOST[:PORT]/NAME[:TAG]`, without a scheme; `latest` without a tag. */
  readonly reference: string;
  /** `HOST:PORT` of registries spoken to over plain HTTP; loopback addresses need no entry. */
  readonly insecureRegistries: readonly string[];
  /** A docker config.json with credentials; it need not exist. */
  readonly dockerConfigPath: string | undefined;
}

/**
 * Pushes module bytes to a registry, for a person who named both: private addresses are allowed. Throws ModuleError.
 */
export async function pushModule(request: PushModuleRequest): Promise<PushedModule> {
  const { repository, tag } = parsePushReference(request.reference);
  const loopback = isLoopback(repository.host) ? [repository.host] : [];
  const client = createRegistryClient({
    insecureRegistries: () => [...request.insecureRegistries, ...loopback],
    allowPrivateHosts: ['*'],
    dockerConfigPath: request.dockerConfigPath,
    // A push is short: no token is thrown away for its age, and a 401 renews it.
    clock: { now: () => 0 },
  });
  try {
    return await pushArtifact(client, repository, tag, request.bytes, new AbortController().signal);
  } finally {
    await client.close();
  }
}

function isLoopback(host: string): boolean {
  const { hostname } = new URL(`http://${host}`);
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && /^127\./.test(hostname))
  );
}
