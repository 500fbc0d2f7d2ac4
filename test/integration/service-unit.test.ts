import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/config.ts';

const unit = fileURLToPath(new URL('../../examples/attache.service', import.meta.url));
const settings = fileURLToPath(new URL('../../examples/attache.yaml', import.meta.url));
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'attache-unit-'));
after(() => rmSync(folder, { recursive: true }));

test('systemd takes the unit as it is, and finds it locked up well', {
  skip: !hasSystemd && 'no systemd',
}, () => {
  const path = join(folder, 'attache.service');
  // The program is where it will be installed; any that is there will do for a look.
  writeFileSync(path, readFileSync(unit, 'utf8').replace('/usr/local/bin/attache', '/bin/true'));
  assert.equal(execFileSync('systemd-analyze', ['verify', path], { encoding: 'utf8' }), '');
  const said = execFileSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' });
  const level = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
  assert.ok(level < 2, said);
});

test('the settings beside it are taken', () => {
  const { dataDirectory, nodeAuth, allowPlaintext } = readConfig({ config: settings }, {});
  assert.deepEqual(
    { dataDirectory, nodeAuth, allowPlaintext },
    {
      dataDirectory: '/var/lib/attache',
      nodeAuth: 'mtls',
      allowPlaintext: [],
    },
  );
});
