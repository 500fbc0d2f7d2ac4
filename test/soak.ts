/**
 * `npm run soak`: 200 streams that connect, subscribe, ACK, refuse, vanish and flood, against a real control plane in a
 * process of its own, whose configuration changes all the time.
 *
 *     npm run soak -- [--seed N] [--minutes M]
 *
 * In rounds of chaos and calm: at each calm every stream has to end at the newest content, and the memory of the
 * control plane is measured after a full collection. The seed decides what is done; when, the machine does. Ends with 1
 * when an update was lost, memory grew, a stream was still counted after all had gone, or something was left open.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { soak } from './soak/soak-run.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, minutes: { type: 'string', default: '30' } },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
if (!Number.isInteger(seed) || !(minutes > 0)) throw new RangeError('--seed N --minutes M: expected numbers');

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
const commit =
  git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes');
console.log(`soak: seed ${seed}, ${minutes} minutes, commit ${commit}`);
const faults = await soak({ seed, minutes, say: line => console.log(line) });
for (const fault of faults) console.log(`fault: ${fault}`);
console.log(faults.length === 0 ? 'soak: no fault' : `soak: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
