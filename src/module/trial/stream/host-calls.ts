import type { CallAnswer, HeaderPairs } from '../../../model/plugin-run.ts';
import { type HostCalls, toResult } from '../host-call.ts';
import { readPairs } from '../pairs.ts';
import { Result } from '../trial-protocol.ts';
import { ROOT_CONTEXT, type StreamGuest } from './stream-guest.ts';

const { badArgument, invalidMemoryAccess } = Result;

/** Of call tokens the two low bits tell the kind; 0 is HTTP. */
const FIRST_TOKEN = 4;
const TOKEN_STEP = 4;

/** HTTP calls to clusters: the request file has their answers. */
export function httpCallCalls(guest: StreamGuest): HostCalls {
  let next = FIRST_TOKEN;
  return {
    http_call(
      clusterAt: number,
      clusterSize: number,
      headersAt: number,
      headersSize: number,
      bodyAt: number,
      bodySize: number,
      trailersAt: number,
      trailersSize: number,
      timeoutMs: number,
      tokenAt: number,
    ) {
      const { memory } = guest;
      const cluster = guest.text(clusterAt, clusterSize);
      const bytes = memory.read(headersAt, headersSize);
      const body = guest.text(bodyAt, bodySize);
      const isReadable = memory.holds(trailersAt, trailersSize) && memory.holds(tokenAt, 4);
      if (cluster === undefined || bytes === undefined || body === undefined || !isReadable)
        return invalidMemoryAccess;
      const headers = readPairs(bytes).map(([name, value]) => [name.toLowerCase(), value] as const);
      const isWhole = [':path', ':method', ':authority'].every(name => headers.some(([one]) => one === name));
      const answer = findAnswer(guest.order.calls, cluster, headers);
      const isSent = isWhole && timeoutMs <= 0x7fff_ffff && answer !== undefined;
      guest.stream?.calls.push({ cluster, headers, body, timeoutMs, ...describe(answer) });
      if (!isSent) return badArgument;
      const token = next;
      next += TOKEN_STEP;
      guest.pending.push({ token, answer });
      return toResult(memory.writeWord(tokenAt, token));
    },
  };
}

/** Something put into a queue wakes the plugin up. */
export function queueCalls(
  guest: StreamGuest,
  enqueue: (...args: number[]) => number | undefined,
): HostCalls {
  return {
    enqueue_shared_queue(token: number, at: number, size: number) {
      const result = enqueue(token, at, size);
      if (result === Result.ok)
        guest.afterCall(() => void guest.invoke('proxy_on_queue_ready', ROOT_CONTEXT, token));
      return result;
    },
  };
}

function findAnswer(
  calls: readonly CallAnswer[],
  cluster: string,
  headers: HeaderPairs,
): CallAnswer | undefined {
  const path = headers.find(([name]) => name === ':path')?.[1];
  return calls.find(one => one.cluster === cluster && (one.path === undefined || one.path === path));
}

function describe(answer: CallAnswer | undefined) {
  if (answer === undefined) return { answer: 'no-answer' } as const;
  const { message } = answer;
  if (message === undefined) return { answer: 'broken' } as const;
  return {
    answer: 'answered',
    status: message.headers.find(([name]) => name === ':status')?.[1] ?? '',
  } as const;
}
