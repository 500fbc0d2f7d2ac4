import type { Socket } from 'node:net';
import type { Turns } from './turns.ts';

/**
 * Lets a connection whose peer has gone end when its turn has come: the HTTP/2 session, its streams and what hangs on them
 * take a tenth of a millisecond and more, and a thousand that ended at once kept all others waiting for as many. Node tells of
 * such an end by a `destroy` of its own; any other `destroy` is done at once.
 */
export function endInTurn(socket: Socket, turns: Turns): void {
  const destroy = socket.destroy.bind(socket);
  let isWaiting = false;
  socket.destroy = error => {
    if (isWaiting || socket.destroyed || !isByPeer(socket, error)) return destroy(error);
    // A reset says no more than an end does, and each of the errors that would follow from it costs a stack.
    const end = (): void => void destroy();
    if (turns.take('end')) return destroy();
    isWaiting = true;
    turns.wait('end', { since: turns.now(), begin: end, refuse: end });
    return socket;
  };
}

/** It was reset, or both sides have ended. */
function isByPeer(socket: Socket, error: Error | undefined): boolean {
  if (error === undefined) return socket.readableEnded;
  return 'syscall' in error && error.syscall === 'read';
}
