/** Real Envoys on what `attache bootstrap --from` makes of bootstraps as people have them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import type { BootstrapOptions } from '../../src/cli/bootstrap-document.ts';
import { manageBootstrap } from '../../src/cli/bootstrap-from.ts';
import { FROM_OPTIONS, layShapeWorld, SHAPES } from '../harness/bootstrap-shapes.ts';
import { envoyBinary } from '../harness/envoy-binary.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'attache-shapes-'));
after(() => rmSync(folder, { recursive: true }));
const world = await layShapeWorld(folder);

/** Envoy's own judgement. */
async function validate(version: string, name: string, text: string): Promise<void> {
  const file = join(folder, `${version}.${name}`);
  writeFileSync(file, text);
  await run(await envoyBinary(version), ['--mode', 'validate', '-c', file, '--log-level', 'error']);
}

const LAYOUTS: Readonly<Record<string, Partial<BootstrapOptions>>> = {
  '1.40.0': {},
  '1.36.2': { layout: 'single', plugins: ['auth', 'edge/limit'] },
};
const UNMOVABLE = ['files.yaml', 'other-ads.yaml', 'taken.yaml'];

for (const [version, layout] of Object.entries(LAYOUTS))
  for (const shape of SHAPES)
    test(`Envoy ${version} takes ${shape} before and after`, async () => {
      const options = { ...FROM_OPTIONS, ...layout };
      const own = world.read(shape);
      // Else the fault would be the fixture's.
      await validate(version, shape, own);
      await validate(version, shape, manageBootstrap(own, shape, options).text);
      if (UNMOVABLE.includes(shape)) return;
      // What was moved out goes back in by hand: each document is a listener that this Envoy takes.
      const { text, moved } = manageBootstrap(own, shape, options, 'move');
      await validate(version, shape, text);
      const whole = parse(text, { logLevel: 'error' });
      const listeners = moved.map(one => {
        const { '@type': _, ...listener } = parse(one.text).spec.resource;
        return listener;
      });
      const { staticResources, static_resources = staticResources, ...rest } = whole;
      delete rest.templates;
      await validate(
        version,
        `moved.${shape}.yaml`,
        stringify({ ...rest, static_resources: { ...static_resources, listeners } }),
      );
    });
