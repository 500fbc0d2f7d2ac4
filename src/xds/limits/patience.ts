/** How long the xDS port waits for a connection that says nothing. All in ms, whole numbers above 0. */
export interface Patience {
  /** From the last answer to the next ping. */
  readonly pingEveryMs: number;
  /** For the answer to a ping; then the connection is cut. */
  readonly pingAnswerMs: number;
  /** Without any stream; then the connection is closed. */
  readonly unusedMs: number;
}

export const XDS_PATIENCE: Patience = {
  pingEveryMs: 30_000,
  // Envoy answers no ping while it loads a large module (9 s were seen): a minute is not lost.
  pingAnswerMs: 60_000,
  // Envoys have a stream for as long as they run; what has none for so long comes back when it wants something.
  unusedMs: 300_000,
};
