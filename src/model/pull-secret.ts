import type { JsonObject } from './plugin-spec.ts';

/** Credentials of registries, as the store keeps them: only `sealed` holds anything secret. */
export interface PullSecret {
  readonly namespace: string;
  readonly name: string;
  /** The keys of `auths`, as written: hosts, or hosts with the begin of a repository. */
  readonly registries: readonly string[];
  /** A DockerAuths as JSON, encrypted: see Seal. */
  readonly sealed: string;
  readonly by: string;
  readonly createdAt: number;
}

/** The part of docker's config.json that a stored secret may have. */
export interface DockerAuths {
  readonly auths: Readonly<Record<string, JsonObject>>;
}

/** Encrypts what the store is to keep without knowing it. Filled in control-plane.ts. */
export interface Seal {
  /** `about` binds the result to the record it is in: opened as anything else it does not open. */
  close(text: string, about: string): string;
  /** Undefined: it was not closed with this key, or not about this, or is damaged. */
  open(sealed: string, about: string): string | undefined;
}

/** `<namespace>/<name>` */
export function pullSecretKey(of: { readonly namespace: string; readonly name: string }): string {
  return `${of.namespace}/${of.name}`;
}

export function sealPullSecret(seal: Seal, key: string, config: DockerAuths): string {
  return seal.close(JSON.stringify(config), `PullSecret ${key}`);
}

/** Undefined: it does not open with this key. */
export function openPullSecret(seal: Seal, secret: PullSecret): DockerAuths | undefined {
  const text = seal.open(secret.sealed, `PullSecret ${pullSecretKey(secret)}`);
  return text === undefined ? undefined : (JSON.parse(text) as DockerAuths);
}
