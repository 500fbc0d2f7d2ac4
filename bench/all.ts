/**
 * `npm run bench:all [-- --only PART] [-- --runs N]`: every measurement about speed and scale, one after the other; keeps what they gave in
 * results.json and writes the tables of docs/performance.md anew. A good half hour on two quiet cores. See README.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spawnChild } from '../test/harness/child-process.ts';
import { PARTS, type PartName, type Results, writeTables } from './performance-page.ts';

const RESULTS = new URL('results.json', import.meta.url);
const PAGE = new URL('../docs/performance.md', import.meta.url);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      runs: { type: 'string' },
      render: { type: 'boolean', default: false },
    },
  });
  const names = Object.keys(PARTS) as PartName[];
  const wanted = values.render ? [] : names.filter(name => values.only?.includes(name) ?? true);
  if (wanted.length === 0 && !values.render) throw new RangeError(`--only: one of ${names.join(', ')}`);
  const runs = values.runs === undefined ? [] : ['--runs', values.runs];
  let results = await readResults();
  const failed: string[] = [];
  for (const name of wanted) {
    const report = await runPart([...PARTS[name].script, ...runs]);
    if (report === undefined) failed.push(name);
    else results = { ...results, [name]: report };
    await writeFile(RESULTS, `${JSON.stringify(results, null, 1)}\n`);
  }
  await writeFile(PAGE, writeTables(await readFile(PAGE, 'utf8'), results));
  if (failed.length > 0) console.error(`not measured: ${failed.join(', ')}; their tables are as they were`);
  return failed.length === 0 ? 0 : 1;
}

async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await readFile(RESULTS, 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** What it prints with `--json`; undefined: it failed, and has said why. */
async function runPart([script = '', ...flags]: readonly string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  console.error(`\n${script}`);
  const { child, ended } = spawnChild(process.execPath, [path, ...flags, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed, { code }] = await Promise.all([text(child.stdout!), ended]);
  return code === 0 ? JSON.parse(printed) : undefined;
}

process.exitCode = await main();
