const PREFIX = 'warning: ';
const LINE_LENGTH = 110;

/** `warning: …`; a long one goes on below itself, sentence by sentence. */
export function wrapWarning(warning: string): string {
  if (PREFIX.length + warning.length <= LINE_LENGTH) return PREFIX + warning;
  const lines: string[] = [];
  for (const sentence of warning.split(/(?<=[.!?]) (?=\S)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + sentence.length <= LINE_LENGTH - PREFIX.length)
      lines[lines.length - 1] = `${last} ${sentence}`;
    else lines.push(sentence);
  }
  return PREFIX + lines.join(`\n${' '.repeat(PREFIX.length)}`);
}
