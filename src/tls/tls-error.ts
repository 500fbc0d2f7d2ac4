import { AttacheError } from '../model/error.ts';

/** A certificate, key or CA file that cannot be used. */
export class TlsError extends AttacheError<'tls-file-wrong'> {}
