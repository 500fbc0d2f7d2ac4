import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.ts';
import type { ApiServer } from '../routes/route-schema.ts';

/** Bounds one token's runaway loop, so that it does not take the share of the others behind one address. */
export const REQUESTS_PER_MINUTE = 6_000;
/** Requests of one token that are answered at the same time; each stream of events is one for as long as it is read. */
export const REQUESTS_AT_ONCE = 100;

/** Throws ApiError `too-many-requests` for a token that asks too much; what it lets in counts until it is answered. */
export type LimitToken = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Needs the plugin of rate limits. Requests without a token are bounded by their address alone. */
export function createTokenLimits(app: ApiServer): LimitToken {
  const rate = app.createRateLimit({
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    keyGenerator: ({ caller }: FastifyRequest) => caller.token?.id ?? '',
  });
  const open = new Map<string, number>();
  return async (request, reply) => {
    const { token } = request.caller;
    if (token === undefined) return;
    const found = await rate(request);
    if (!found.isAllowed && found.isExceeded) {
      reply.header('retry-after', found.ttlInSeconds);
      throw tooMany(`the token ${token.name} asked more than ${REQUESTS_PER_MINUTE} times in a minute`, {
        hint: `Try again in ${found.ttlInSeconds} s.`,
      });
    }
    const now = (open.get(token.id) ?? 0) + 1;
    if (now > REQUESTS_AT_ONCE) {
      reply.header('retry-after', 1);
      throw tooMany(`${REQUESTS_AT_ONCE} requests of the token ${token.name} are being answered already`, {
        hint: 'Streams of events count while they are read. Give each program a token of its own.',
      });
    }
    open.set(token.id, now);
    reply.raw.once('close', () => {
      const left = (open.get(token.id) ?? 1) - 1;
      if (left === 0) open.delete(token.id);
      else open.set(token.id, left);
    });
  };
}

function tooMany(message: string, options: { readonly hint: string }): ApiError {
  return new ApiError('too-many-requests', message, options);
}
