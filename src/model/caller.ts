import type { Grant } from './access.ts';
import type { ApiToken } from './api-token.ts';

/** Who asks for something over the API, from where, and what they may. */
export interface Caller extends Grant {
  /** As history, events and the audit name them: the name of the token. */
  readonly who: string;
  /** The peer's IP address, as the connection has it. */
  readonly address: string;
  /** As the answer's `x-request-id` has it. */
  readonly requestId: string;
  /** undefined: none was sent, and none was needed. */
  readonly token: ApiToken | undefined;
}
