/**
 * The conformance suite of the OCI distribution specification against the built-in registry.
 * https://github.com/opencontainers/distribution-spec/tree/main/conformance
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory, startRegistry } from '../module/actors.ts';
import { execute } from './go-tools.ts';

/** The built suite: `go build` in its folder gives one program. */
const program = process.env.OCI_CONFORMANCE ?? '';
const missing = existsSync(program)
  ? false
  : 'not run: build the suite, and name the program in $OCI_CONFORMANCE';

for (const version of ['1.1', 'dev'])
  test(`the suite passes: pull, push, discovery and management, version ${version}`, {
    skip: missing,
  }, async t => {
    const { host } = await startRegistry(t);
    const directory = await makeDirectory(t);
    const { code, out } = await execute(program, [], directory, {
      OCI_REGISTRY: host,
      OCI_TLS: 'disabled',
      OCI_VERSION: version,
      OCI_RESULTS_DIR: directory,
    });
    const counts = /OCI Conformance Result: .*?Total\.*: +\d+/s.exec(out)?.[0] ?? out;
    assert.equal(code, 0, counts);
    const junit = await readFile(join(directory, 'junit.xml'), 'utf8');
    const [, total, failures, errors] =
      /<testsuite [^>]*tests="(\d+)" failures="(\d+)" errors="(\d+)"/.exec(junit) ?? [];
    t.diagnostic(counts.replace(/\n */g, ' '));
    assert.ok(Number(total) > 500, counts);
    assert.deepEqual([errors, failures], ['0', '0'], counts);
  });
