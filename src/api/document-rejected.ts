import type { DocumentErrorCode, DocumentFault } from '../model/document-error.ts';
import { AttacheError, toMoreText } from '../model/error.ts';

/** A document with faults; its code is that of the first one. */
export class DocumentRejected extends AttacheError<DocumentErrorCode> {
  constructor(faults: readonly DocumentFault[]) {
    const [first] = faults;
    const path = first?.pointer.slice(1).replaceAll('/', '.') ?? '';
    const more = faults.length > 1 ? `, ${toMoreText(faults)}` : '';
    super(first?.code ?? 'wrong-type', `${path === '' ? '' : `${path}: `}${first?.message}${more}`, {
      faults,
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
    });
  }
}
