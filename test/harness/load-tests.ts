/**
 * Many files of tests in one process: starting a process for each would take longer than most of them take. The
 * files are the arguments. One that cannot be loaded is a failed test, and takes no other with it; one that ends the
 * process makes all of it a failure.
 */
import { resolve } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

let haveEnded = false;
after(() => {
  haveEnded = true;
});
process.once('exit', () => {
  if (!haveEnded) process.exitCode = 1;
});

for (const path of process.argv.slice(2).map(file => resolve(file)))
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    test(`${path} can be loaded`, () => {
      throw error;
    });
  }
