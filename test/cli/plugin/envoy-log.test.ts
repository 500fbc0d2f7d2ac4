import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEnvoyLogLine, readEnvoyLogLine } from '../../../src/cli/plugin/envoy-log.ts';

const lines: readonly [line: string, shown: string][] = [
  ['warning\twasm log auth: no such user: x', '  log      warning: no such user: x'],
  ['info\twasm log auth root auth: hello', '  log      info: hello'],
  ['critical\terror initializing configuration', '  envoy    critical: error initializing configuration'],
  ['[libprotobuf ERROR] something', '  envoy    [libprotobuf ERROR] something'],
  ['info\twasm log other: hello', '  envoy    info: wasm log other: hello'],
];
for (const [line, shown] of lines)
  test(`an Envoy's line ${JSON.stringify(line)}`, () => {
    assert.equal(formatEnvoyLogLine(readEnvoyLogLine(line, 'auth')), shown);
  });
