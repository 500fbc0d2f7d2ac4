import { createHash, timingSafeEqual } from 'node:crypto';
import type { Grant } from './access.ts';
import { ATTACHE_ACTOR, NOBODY, SEVERAL } from './audit.ts';
import type { RandomHex } from './ports.ts';

/**
 * A bearer token of the API, without what is secret of it. It never changes: whoever needs another right gets another
 * token. Written by the api; key `id`.
 */
export interface ApiToken extends Grant {
  /** 8 hex digits; part of the token, so that it is found without a search. */
  readonly id: string;
  /** As history and the audit name who uses it; no two tokens have the same. */
  readonly name: string;
  /** Hex of the whole token's SHA-256. */
  readonly sha256: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
}

/** When a token was last taken, ms, at most TOKEN_USE_MS ago. Apart from it, so that use never brings a revoked one back. */
export interface TokenUse {
  readonly at: number;
}

/** A use this soon after the last one is not written. */
export const TOKEN_USE_MS = 60_000;

/** Tokens of nodes begin otherwise: neither is ever taken for the other. */
const FORM = /^att_([0-9a-f]{8})_[0-9a-f]{64}$/;

/** A new token, `att_<id>_<256 random bits>`: all of it is shown once. */
export function makeToken(random: RandomHex): {
  readonly id: string;
  readonly token: string;
  readonly sha256: string;
} {
  const id = random(4);
  const token = `att_${id}_${random(32)}`;
  return { id, token, sha256: hash(token).toString('hex') };
}

/** What may be shown of a token. */
export function toTokenPrefix({ id }: Pick<ApiToken, 'id'>): string {
  return `att_${id}`;
}

/** Whether a text claims to be a token of the API, whatever it is worth. */
export function isTokenLike(text: string): boolean {
  return text.startsWith('att_');
}

/** The id in a token; undefined: it is none. */
export function readTokenId(token: string): string | undefined {
  return FORM.exec(token)?.[1];
}

/** Compares in the same time wherever they differ. */
export function isSameToken({ sha256 }: Pick<ApiToken, 'sha256'>, token: string): boolean {
  const wanted = Buffer.from(sha256, 'hex');
  const given = hash(token);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

export function isExpired({ expiresAt }: Pick<ApiToken, 'expiresAt'>, now: number): boolean {
  return expiresAt !== undefined && now >= expiresAt;
}

const NAME = /^[a-z0-9]([-a-z0-9._]{0,61}[a-z0-9])?$/;
export const FIRST_TOKEN = 'admin';
/** Whom the audit means by it is somebody else: `admin` is who comes without a token where none is asked for, too. */
const RESERVED: readonly string[] = [FIRST_TOKEN, ATTACHE_ACTOR, NOBODY, SEVERAL];

/** A name that people may give. */
export function isTokenName(name: string): boolean {
  return NAME.test(name) && !RESERVED.includes(name);
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_EXPIRY_MS = 3_650 * 86_400_000;

/** `90d`, `12h`, `30m` in ms; undefined: it is none, or more than ten years. */
export function parseExpiry(text: string): number | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,7})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  return ms <= MAX_EXPIRY_MS ? ms : undefined;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
