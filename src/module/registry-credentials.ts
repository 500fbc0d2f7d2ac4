import type { DockerAuths } from '../model/pull-secret.ts';
import { type Credential, findCredential, readCredential } from './docker-config.ts';
import type { RegistryOptions } from './registry-client.ts';

/** A pull secret, opened. It is passed on, and never kept, printed or logged. */
export interface PullCredentials {
  /** `<namespace>/<name>`, for messages. */
  readonly secret: string;
  readonly config: DockerAuths;
}

/** A token of the API, for the built-in registry: any user has it as password. */
export interface HostToken {
  /** `HOST[:PORT]` */
  readonly host: string;
  readonly token: string;
}

/** The user for a repository, and in words where it was found; undefined: nobody knows one. */
export interface FoundCredential {
  readonly credential: Credential | undefined;
  /** `pull secret default/regcred`, `the server`. */
  readonly from: string;
}

/**
 * In this order: the plugin's pull secret, the token of the host, the docker config.json. One that is refused is not followed by the
 * next: a wrong secret is to be seen. Throws `bad-credentials`.
 */
export async function chooseCredential(
  pull: PullCredentials | undefined,
  { dockerConfigPath, token }: Pick<RegistryOptions, 'dockerConfigPath' | 'token'>,
  host: string,
  repository: string,
): Promise<FoundCredential> {
  if (pull !== undefined) {
    const from = `pull secret ${pull.secret}`;
    const credential = findCredential(pull.config, host, repository, from);
    if (credential !== undefined) return { credential, from };
  }
  if (token?.host === host) {
    const credential = { kind: 'basic', username: 'attache', password: token.token } as const;
    return { credential, from: 'the token' };
  }
  const credential = await readCredential(dockerConfigPath, host, repository);
  const lacks = pull === undefined ? '' : `, and pull secret ${pull.secret} has no entry for ${host}`;
  return { credential, from: `the server${lacks}` };
}
