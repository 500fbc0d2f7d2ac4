/**
 * Loaded into a program that is measured (`node --import`): on SIGUSR2 it writes what the process has used of the
 * processors so far, in microseconds, to the file that BENCH_REPORT names. The system tells others hundredths of a second only.
 */
import { renameSync, writeFileSync } from 'node:fs';

const path = process.env.BENCH_REPORT;
if (path !== undefined)
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage();
    writeFileSync(`${path}.new`, String(user + system));
    renameSync(`${path}.new`, path);
  });
