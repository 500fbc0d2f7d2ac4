import { REDACTED } from '../model/show-resource.ts';
import { EXTENSION_CONFIG_TYPE, SECRET_TYPE } from '../model/type-url.ts';

/** Where Envoy says that a resource breaks a rule of its proto: the rule in parentheses, then the whole resource, secrets and all. */
const DUMP = /(Proto constraint validation failed \((?:[^()]|\([^()]*\))*\)): .*/s;

/**
 * What an Envoy said as it refused something, without what it quotes of a secret: the text is logged, stored and shown. Of
 * a secret nothing in quotes is kept. What stands in our places is not touched: there is no secret in it, and who is
 * to blame is read from the text.
 */
export function withoutSecrets(typeUrl: string, text: string | undefined): string | undefined {
  if (text === undefined || typeUrl === EXTENSION_CONFIG_TYPE) return text;
  const told = text.replace(DUMP, '$1');
  return typeUrl === SECRET_TYPE ? told.replace(/"(?:[^"\\]|\\.)*"/gs, `"${REDACTED}"`) : told;
}
