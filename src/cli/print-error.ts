import { AttacheError, toMessage } from '../model/error.ts';
import { localizeTimes } from './format.ts';

/**
 * What a user sees of an error: `error: <what>`, then what to do next. Faults of a document are printed by those
 * who know where the document came from.
 */
export function formatError(thrown: unknown, nowMs: number): string {
  const head = `error: ${toMessage(thrown)}`;
  if (!(thrown instanceof AttacheError)) return `${head}\n${UNEXPECTED}`;
  const { faults, message, hint } = thrown;
  const lines = faults
    .filter(fault => !message.includes(fault.message))
    .map(fault => {
      const line = [toDotted(fault.pointer), fault.message].filter(part => part !== '').join(': ');
      return `  ${line}${fault.hint ? `. ${fault.hint}` : ''}`;
    });
  // One whose message stands in the head has no line of its own, and its hint is as good as that of the error.
  const hints = faults.filter(fault => message.includes(fault.message)).map(fault => fault.hint);
  const next = [...new Set([...hints, hint ?? toPageHint(thrown)])].filter(line => line).join('\n');
  const text = lines.length > 0 ? [head, ...lines, next] : [addHint(head, next)];
  return localizeTimes(text.filter(line => line !== '').join('\n'), nowMs);
}

/** Where neither the error nor its faults say what to do, the page about its code does. */
function toPageHint({ code, faults }: AttacheError): string | undefined {
  const isTold = faults.length > 0 && faults.every(fault => fault.hint !== undefined);
  return isTold ? undefined : `What to do: docs/errors.md#${code}`;
}

/** On the line of the error where both are short. */
function addHint(head: string, hint: string): string {
  const sentence = /[.!?]$/.test(head) ? head : `${head}.`;
  if (hint === '') return head;
  return head.includes('\n') || head.length + hint.length > LINE_LENGTH
    ? `${head}\n${hint}`
    : `${sentence} ${hint}`;
}

const LINE_LENGTH = 130;
/** What has no code was foreseen by nobody. */
const UNEXPECTED = 'This was not foreseen: please report it, with the command that you typed.';

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
