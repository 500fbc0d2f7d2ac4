import type { ApiToken } from './api-token.ts';

/** What a text that came as a token is worth. */
export type TokenFinding =
  | { readonly kind: 'good'; readonly token: ApiToken }
  | { readonly kind: 'expired'; readonly token: ApiToken }
  | { readonly kind: 'unknown' };

/** Looks a token up and notes its use. Throws what the store throws. */
export type CheckToken = (token: string) => Promise<TokenFinding>;
