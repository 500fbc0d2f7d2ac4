import { CliError } from './cli-error.ts';

/** Asks on the terminal and shows nothing of what is typed. Ctrl-C is CliError `interrupted`. */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed = '';
  const read = (text: string) => {
    for (const character of text) {
      if (character === '\r' || character === '\n') return resolve(typed);
      if (character === '\x03') return reject(new CliError('interrupted', 'nothing was typed'));
      typed = character === '\x7f' || character === '\b' ? typed.slice(0, -1) : typed + character;
    }
  };
  stdin.on('data', read);
  return promise.finally(() => {
    stdin.off('data', read);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  });
}
