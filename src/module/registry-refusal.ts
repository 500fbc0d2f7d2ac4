/**
 * What a request cannot have, with the status and the error code of the distribution specification; thrown by the
 * parts of the built-in registry, answered in one place. No fault of ours, so nothing is logged.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export class RegistryRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'RegistryRefusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
