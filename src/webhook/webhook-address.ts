import { isIP } from 'node:net';
import { isListed, isPrivateAddress } from '../model/address-policy.ts';
import type { WebhookAccess } from '../model/webhook.ts';

/** What is wrong with the URL of a webhook, before anything is sent there: what its name leads to shows then. */
export function findUrlFault(
  text: string,
  allowPrivateHosts: readonly string[],
): ReturnType<WebhookAccess['findFault']> {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return { message: 'it is no https:// URL', hint: 'E.g. https://hooks.example/services/T0/B0/x' };
  if (url.username !== '' || url.password !== '')
    return {
      message: 'it holds a user or a password',
      hint: 'Messages are signed: let the receiver check that.',
    };
  if (url.hash !== '')
    return { message: 'it has a fragment, which is never sent', hint: 'Leave out # and what follows.' };
  if (isListed(url, allowPrivateHosts)) return undefined;
  const allow = `Start the server with --allow-private-host ${url.host}, if that is meant.`;
  if (url.protocol === 'http:')
    return { message: 'plain http:// is for hosts of your own network', hint: allow };
  const literal = toLiteral(url);
  return isIP(literal) !== 0 && isPrivateAddress(literal)
    ? { message: `${url.host} is a private or loopback address`, hint: allow }
    : undefined;
}

/** The host without the brackets of IPv6. */
export function toLiteral({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
