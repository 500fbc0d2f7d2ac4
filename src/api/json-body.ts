import { toMessage } from '../model/error.ts';
import { ApiError } from './api-error.ts';

const REFUSED_KEYS: readonly string[] = ['__proto__', 'constructor'];

/**
 * The value of a JSON body. Throws ApiError `bad-json` with the parser's own words, which quote the body, unless it is
 * `secret`; also for keys that no document has a use for, and that a careless reader of it would take for its own.
 */
export function parseJsonBody(text: string, secret = false): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (REFUSED_KEYS.includes(key)) throw new SyntaxError(`the key "${key}" is not taken`);
      return value;
    });
  } catch (cause) {
    if (secret) throw new ApiError('bad-json', 'the body is not JSON');
    throw new ApiError('bad-json', `the body is not JSON: ${toMessage(cause)}`, { cause });
  }
}
