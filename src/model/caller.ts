/** Who asks for something over the API, and from where. */
export interface Caller {
  /** As history, events and the audit name them. */
  readonly who: string;
  /** The peer's IP address, as the connection has it. */
  readonly address: string;
  /** As the answer's `x-request-id` has it. */
  readonly requestId: string;
}
