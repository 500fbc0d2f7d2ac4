import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import * as examples from '../../src/api/openapi/examples.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Documents that mean something: what the pages show, what is converted, and the examples of the API. */
export function readCorpus(): readonly unknown[] {
  const pages = globSync('{docs/*.md,README.md}', { cwd: root }).flatMap(path =>
    [...readFileSync(`${root}/${path}`, 'utf8').matchAll(/```ya?ml\n([\s\S]*?)```/g)].map(
      match => match[1] ?? '',
    ),
  );
  const foreign = globSync('test/fixtures/convert/*.yaml', { cwd: root }).map(path =>
    readFileSync(`${root}/${path}`, 'utf8'),
  );
  const documents = [...pages, ...foreign].flatMap(text =>
    parseAllDocuments(text).flatMap(document =>
      'errors' in document && document.errors.length === 0 ? [document.toJS() as unknown] : [],
    ),
  );
  const own = [examples.PLUGIN, examples.RESOURCE, examples.PULL_SECRET, examples.PLAN, examples.PATCH];
  const settings = [
    [{ prefix: 'registry.example', mirrors: ['mirror.example/x'], insecure: true, ca: 'ca.pem' }],
    {
      authorities: [{ name: 'release', kind: 'key', keys: ['release.pub'] }],
      rules: [{ pattern: 'registry.example/**', mode: 'require', authorities: ['release'] }],
    },
  ];
  return [...settings, ...documents.filter(value => typeof value === 'object' && value !== null), ...own];
}
