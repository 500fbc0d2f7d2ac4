import { AttacheError, toMessage } from '../model/error.ts';

/**
 * What a user sees of an error: `error: <what>`, then what to do next. Faults of a document are printed by those
 * who know where the document came from.
 */
export function formatError(thrown: unknown): string {
  const lines = [`error: ${toMessage(thrown)}`];
  if (thrown instanceof AttacheError) {
    for (const fault of thrown.faults) {
      const line = [toDotted(fault.pointer), fault.message].filter(part => part !== '').join(': ');
      if (!thrown.message.includes(fault.message))
        lines.push(`  ${line}${fault.hint ? `. ${fault.hint}` : ''}`);
    }
    if (thrown.hint !== undefined) lines.push(thrown.hint);
  }
  return lines.join('\n');
}

/** `/spec/match/0/mode` as people write it: `spec.match[0].mode`. */
export function toDotted(pointer: string): string {
  return toElements(pointer)
    .map((element, i) => (/^\d+$/.test(element) ? `[${element}]` : i === 0 ? element : `.${element}`))
    .join('');
}

/** The elements of an RFC 6901 pointer, unescaped. */
export function toElements(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(element => element.replaceAll('~1', '/').replaceAll('~0', '~'));
}
