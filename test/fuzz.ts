/**
 * `npm run fuzz`: odd requests to every route and odd documents to every parser. Nothing may fall over: no 5xx, no
 * answer that the OpenAPI document does not announce, no error without a code.
 *
 *     npm run fuzz -- [--seed N] [--count N]
 *
 * Of `--count` inputs (default 100,000) a third are requests. What falls is told with the seed that makes it again
 * (`--seed N --count 3`). Ends with 1 where anything fell.
 */
import { parseArgs } from 'node:util';
import { readCorpus } from './fuzz/corpus.ts';
import { fuzzApi } from './fuzz/fuzz-api.ts';
import { fuzzParsers } from './fuzz/fuzz-parsers.ts';
import { startFuzzScene } from './fuzz/scene.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '100000' } },
});
const [seed, count] = [Number(values.seed), Number(values.count)];
const requests = Math.ceil(count / 3);

const parsed = fuzzParsers(readCorpus(), seed, count - requests);
const scene = await startFuzzScene();
const { falls, statuses } = await fuzzApi(scene, seed, requests);
await scene.stop();
for (const { parser, seed: at, what } of parsed) console.log(`parser ${parser}, seed ${at}: ${what}`);
for (const { request, seed: at, what } of falls) console.log(`seed ${at}: ${what}\n  ${request}`);
for (const failure of scene.failures.slice(0, 5)) console.log(JSON.stringify(failure));
console.log(`${count - requests} documents, ${requests} requests: ${JSON.stringify(statuses)}`);
const fell = parsed.length + falls.length;
console.log(fell === 0 ? 'nothing fell' : `${fell} fell`);
process.exitCode = fell === 0 ? 0 : 1;
