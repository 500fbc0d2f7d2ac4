import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenView } from '../../src/api/schema/token-view.ts';
import { formatClock } from '../../src/cli/format.ts';
import { TOKENS } from '../../src/cli/token-listing.ts';

test('when a token expires: the hour where that is soon, else the day', () => {
  const now = Date.parse('2026-11-21T12:00:00.000Z');
  const { cell } = TOKENS.columns.find(({ heading }) => heading === 'EXPIRES') ?? assert.fail();
  const shown = (expiresAt: string | null, expired = false) => cell({ expiresAt, expired } as TokenView, now);
  const soon = '2026-11-21T13:30:00.000Z';
  assert.equal(shown(soon), formatClock(Date.parse(soon), now).slice(0, 5));
  assert.equal(shown('2026-12-21T13:30:00.000Z'), '2026-12-21');
  assert.equal(shown('2026-11-20T13:30:00.000Z', true), 'expired');
  assert.equal(shown(null), 'never');
});
