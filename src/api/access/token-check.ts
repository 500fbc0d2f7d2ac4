import { isExpired, isSameToken, readTokenId, TOKEN_USE_MS } from '../../model/api-token.ts';
import type { Clock } from '../../model/ports.ts';
import type { CheckToken } from '../../model/token-finding.ts';
import type { CoalescedWriter } from '../../store/coalesced-writer.ts';
import type { Store } from '../../store/store.ts';

export interface TokenCheckOptions {
  readonly store: Store;
  /** Takes when tokens were used. */
  readonly writer: CoalescedWriter;
  readonly clock: Clock;
}

/**
 * Looks tokens up by the id in them: what was revoked is nothing at once, on every replica. A use is written at most
 * once a minute and token, with other observations.
 */
export function createTokenCheck({ store, writer, clock }: TokenCheckOptions): CheckToken {
  const noted = new Map<string, number>();
  const noteUse = (id: string, now: number): void => {
    if (now - (noted.get(id) ?? Number.NEGATIVE_INFINITY) < TOKEN_USE_MS) return;
    noted.set(id, now);
    writer.put('TokenUse', id, { at: now });
  };
  return async text => {
    const id = readTokenId(text);
    const token = id === undefined ? undefined : (await store.get('Token', id))?.value;
    if (token === undefined || !isSameToken(token, text)) return { kind: 'unknown' };
    const now = clock.now();
    if (isExpired(token, now)) return { kind: 'expired', token };
    noteUse(token.id, now);
    return { kind: 'good', token };
  };
}
