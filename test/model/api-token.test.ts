import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  isExpired,
  isSameToken,
  isTokenLike,
  isTokenName,
  makeToken,
  parseExpiry,
  readTokenId,
  toTokenPrefix,
} from '../../src/model/api-token.ts';

const random = (bytes: number): string => randomBytes(bytes).toString('hex');

test('a token has 256 random bits beside its id, and its record has only their hash', () => {
  const asked: number[] = [];
  const { id, token, sha256 } = makeToken(bytes => {
    asked.push(bytes);
    return random(bytes);
  });
  assert.deepEqual(asked, [4, 32]);
  assert.equal(sha256, createHash('sha256').update(token).digest('hex'));
  assert.equal(readTokenId(token), id);
  assert.equal(token.startsWith(`${toTokenPrefix({ id })}_`), true);
  assert.equal(isSameToken({ sha256 }, token), true);
});

test('a token that differs anywhere is another one', () => {
  const { token, sha256 } = makeToken(random);
  const last = token.endsWith('0') ? '1' : '0';
  for (const other of [
    `${token.slice(0, -1)}${last}`,
    token.slice(0, -1),
    `${token}0`,
    '',
    token.toUpperCase(),
  ])
    assert.equal(isSameToken({ sha256 }, other), false, other);
  assert.equal(isSameToken({ sha256: '' }, token), false);
});

test('tokens are compared in constant time', () => {
  const source = readFileSync(new URL('../../src/model/api-token.ts', import.meta.url), 'utf8');
  assert.match(source, /timingSafeEqual\(wanted, given\)/);
  assert.doesNotMatch(source, /sha256 ===/);
});

test('what is no token of the API has no id', () => {
  const { token } = makeToken(random);
  const others = ['', 'att_', token.replace('att_', 'atn_'), `${token} `, `x${token}`, token.slice(0, 40)];
  assert.deepEqual(
    others.map(readTokenId),
    others.map(() => undefined),
  );
  assert.equal(isTokenLike(token), true);
  assert.equal(isTokenLike(token.replace('att_', 'atn_')), false);
});

test('a token ends at its time', () => {
  assert.equal(isExpired({}, 1e15), false);
  assert.equal(isExpired({ expiresAt: 10 }, 9), false);
  assert.equal(isExpired({ expiresAt: 10 }, 10), true);
});

test('names that Attaché uses itself are not given', () => {
  const good = ['ci-edge', 'a', 'team.x_1'];
  assert.deepEqual(good.filter(isTokenName), good);
  const bad = ['admin', 'attache', 'unknown', 'several', '', 'CI', '-ci', 'ci edge', 'a/b', 'x'.repeat(64)];
  assert.deepEqual(bad.filter(isTokenName), []);
});

test('an expiry is a number of minutes, hours or days', () => {
  assert.equal(parseExpiry('90d'), 90 * 86_400_000);
  assert.equal(parseExpiry('12h'), 12 * 3_600_000);
  assert.equal(parseExpiry('30m'), 30 * 60_000);
  const bad = ['', '0d', '90', '1.5d', '4000d', '-1d', '99999999m', '1y'];
  assert.deepEqual(
    bad.map(parseExpiry),
    bad.map(() => undefined),
  );
});
