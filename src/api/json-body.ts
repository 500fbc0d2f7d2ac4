import { toMessage } from '../model/error.ts';
import { ApiError } from './api-error.ts';

/**
 * The value of a JSON body. Throws ApiError `bad-json` with the parser's own words, which quote the body, unless it is
 * `secret`; also for the key `__proto__`, which no document has a use for.
 */
export function parseJsonBody(text: string, secret = false): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new SyntaxError('the key "__proto__" is not taken');
      return value;
    });
  } catch (cause) {
    if (secret) throw new ApiError('bad-json', 'the body is not JSON');
    throw new ApiError('bad-json', `the body is not JSON: ${toMessage(cause)}`, { cause });
  }
}
