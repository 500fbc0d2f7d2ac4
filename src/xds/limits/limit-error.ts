import type { XdsLimitName } from '../../model/xds-limits.ts';
import { XdsError, type XdsErrorCode } from '../xds-error.ts';

/** A client went beyond a limit. Its message names the limit and the way to another value. */
export class LimitError extends XdsError {
  readonly limit: XdsLimitName;

  /** `text` is a sentence without its full stop; `advice` says what the client may do. */
  constructor(limit: XdsLimitName, code: XdsErrorCode, text: string, advice: string) {
    super(code, `${text} (limit ${limit}). ${advice}; for another limit: --xds-limit ${limit}=VALUE`);
    this.limit = limit;
  }
}
