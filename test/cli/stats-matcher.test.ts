import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasStat } from '../../src/cli/stats-matcher.ts';

const STAT = 'http.web.downstream_rq_5xx';
const included = (...patterns: object[]) => ({ stats_matcher: { inclusion_list: { patterns } } });
const excluded = (...patterns: object[]) => ({ stats_matcher: { exclusion_list: { patterns } } });

const CASES: readonly (readonly [string, object | undefined, boolean])[] = [
  ['no matcher', undefined, true],
  ['all rejected', { stats_matcher: { reject_all: true } }, false],
  ['included by prefix', included({ prefix: 'http.' }), true],
  ['included by another prefix', included({ prefix: 'cluster.' }), false],
  ['included by suffix', included({ suffix: '_5xx' }), true],
  ['included by a part', included({ contains: 'downstream' }), true],
  ['included by name', included({ exact: STAT }), true],
  ['included whatever the case', included({ prefix: 'HTTP.', ignore_case: true }), true],
  ['a case that differs', included({ prefix: 'HTTP.' }), false],
  ['an expression matches the whole name', included({ safe_regex: { regex: 'http\\.web' } }), false],
  ['an expression that matches', included({ safe_regex: { regex: 'http\\..*_\\dxx' } }), true],
  ['an expression that we cannot read', included({ safe_regex: { regex: '(?P<a' } }), true],
  ['excluded', excluded({ exact: 'other' }, { prefix: 'http.' }), false],
  ['others excluded', excluded({ prefix: 'cluster.' }), true],
  [
    'one pattern in place of a list',
    { stats_matcher: { inclusion_list: { patterns: { prefix: 'x' } } } },
    false,
  ],
];
for (const [what, config, has] of CASES)
  test(`a stats matcher: ${what}`, () => {
    assert.equal(hasStat(config, STAT), has);
  });
