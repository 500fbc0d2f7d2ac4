import { matchesGlob } from './glob.ts';
import { DEFAULT_REGISTRY, parseModuleReference } from './module-reference.ts';
import { sha256Hex, toCanonicalJson } from './plugin-spec.ts';
import { isPem, parseSignatureKey, type SignatureKey } from './signature-key.ts';

/** Who may sign, and what has to be signed: a setting of the server. */
export interface SignaturePolicy {
  readonly authorities: readonly Authority[];
  /** The first whose pattern matches a source holds; none: nothing is asked of it. */
  readonly rules: readonly SignatureRule[];
}

/** Signers under one name. Any one key of it is enough, so that keys can be changed one after the other. */
export interface Authority {
  readonly name: string;
  /** The only kind so far: identities without keys are not verified yet. */
  readonly kind: 'key';
  readonly keys: readonly SignatureKey[];
}

export interface SignatureRule {
  /** As toSourceName, with `*` and `**`. */
  readonly pattern: string;
  /** `warn`: looked for and told. `off`: not looked for. */
  readonly mode: 'require' | 'warn' | 'off';
  readonly keys: readonly NamedKey[];
}

export interface NamedKey {
  readonly authority?: string;
  readonly key: SignatureKey;
}

/** One of these keys must have signed. */
export interface SignatureDemand {
  /** Who asks, as it is called in messages. */
  readonly from: string;
  readonly mode: 'require' | 'warn';
  readonly keys: readonly NamedKey[];
}

/** All of them together; a plugin's own key never stands in for one that the server asks for. */
export interface SignatureDemands {
  readonly demands: readonly SignatureDemand[];
  /** Changes with anything that could change the answer; empty: nothing is asked. */
  readonly hash: string;
}

export const NO_SIGNATURE_POLICY: SignaturePolicy = { authorities: [], rules: [] };

/** Names of authorities: they stand where PEM may stand too. */
export const AUTHORITY_NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** All names of the default registry: one of them must not be a way around a rule for another. */
const DEFAULT_REGISTRY_NAMES = ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/**
 * What is asked of a source's signatures. A text: `verificationKey` names no authority, or is no key. Throws
 * ModuleReferenceError for a URL that names no module, where there are rules.
 */
export function findDemands(
  policy: SignaturePolicy,
  { url, verificationKey }: { readonly url: string; readonly verificationKey?: string | undefined },
): SignatureDemands | string {
  const rule = findRule(policy, url);
  const demands: SignatureDemand[] = [];
  if (rule !== undefined && rule.mode !== 'off')
    demands.push({ from: `the policy for ${rule.pattern}`, mode: rule.mode, keys: rule.keys });
  if (verificationKey !== undefined) {
    const keys = findKeys(policy, verificationKey);
    if (typeof keys === 'string') return keys;
    demands.push({ from: 'verificationKey', mode: 'require', keys });
  }
  return { demands, hash: hashDemands(demands) };
}

/** Most servers have none, and ask for each plugin at their start: to read 1,000 URLs twice took 20 ms. */
function findRule({ rules }: SignaturePolicy, url: string): SignatureRule | undefined {
  if (rules.length === 0) return undefined;
  const source = toSourceName(url);
  return rules.find(({ pattern }) => matchesGlob(pattern, source));
}

/**
 * What patterns are compared with: `HOST/REPOSITORY`, or the whole URL of a file. One source has one name, whatever
 * way it is written.
 */
export function toSourceName(url: string): string {
  const reference = parseModuleReference(url);
  switch (reference.scheme) {
    case 'oci':
      return `${toHostName(reference.host)}/${reference.repository}`;
    case 'file':
      return `file://${withoutDots(reference.path)}`;
    default:
      return new URL(reference.url).href;
  }
}

/** Lower case, no default port, numbers and addresses in their one form. */
export function toHostName(host: string): string {
  if (!URL.canParse(`https://${host}`)) return host.toLowerCase();
  const name = new URL(`https://${host}`).host.replace(/:80$/, '');
  return DEFAULT_REGISTRY_NAMES.includes(name) ? DEFAULT_REGISTRY : name;
}

function withoutDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function findKeys({ authorities }: SignaturePolicy, verificationKey: string): readonly NamedKey[] | string {
  if (isPem(verificationKey)) {
    const key = parseSignatureKey(verificationKey);
    return typeof key === 'string' ? `verificationKey cannot be used: ${key}` : [{ key }];
  }
  const authority = authorities.find(({ name }) => name === verificationKey);
  return authority === undefined
    ? `verificationKey names the authority ${verificationKey}, which this server does not know`
    : authority.keys.map(key => ({ authority: authority.name, key }));
}

function hashDemands(demands: readonly SignatureDemand[]): string {
  if (demands.length === 0) return '';
  const facts = demands.map(({ mode, keys }) => ({
    mode,
    keys: keys.map(({ authority, key }) => `${authority ?? ''} ${key.fingerprint}`).sort(),
  }));
  return sha256Hex(toCanonicalJson(facts));
}
