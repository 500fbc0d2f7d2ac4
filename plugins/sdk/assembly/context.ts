/** What a header callback answers. */
export namespace Action {
  export const proceed: i32 = 0;
  export const pause: i32 = 1;
}

/** One plugin configuration in one VM. Subclass it and name the subclass with `registerPlugin`. */
export class RootContext {
  /** False refuses the VM. `size` is that of the VM's configuration in bytes. */
  onVmStart(size: u32): bool {
    return true;
  }

  /** False refuses the configuration, of `size` bytes; log the reason first. Called again for a new one. */
  onConfigure(size: u32): bool {
    return true;
  }

  /** The context of a request that begins. */
  createStream(): StreamContext {
    return new StreamContext();
  }
}

/** One request and its response. */
export class StreamContext {
  onRequestHeaders(): i32 {
    return Action.proceed;
  }

  onResponseHeaders(): i32 {
    return Action.proceed;
  }

  /** After the last byte, before the context goes. */
  onLog(): void {}
}

type RootFactory = () => RootContext;

let factory: RootFactory = () => new RootContext();
const roots = new Map<u32, RootContext>();
const streams = new Map<u32, StreamContext>();

/** Call it once in the plugin's top-level code. */
export function registerPlugin(create: RootFactory): void {
  factory = create;
}

/** A context the host begins; `parentId` 0 means a root context. */
export function createContext(id: u32, parentId: u32): void {
  if (parentId == 0) roots.set(id, factory());
  else streams.set(id, roots.get(parentId).createStream());
}

export function rootContext(id: u32): RootContext {
  return roots.get(id);
}

export function streamContext(id: u32): StreamContext {
  return streams.get(id);
}

/** Whether the context is one of a request. */
export function hasStream(id: u32): bool {
  return streams.has(id);
}

/** The host is done with a context, of either kind. */
export function deleteContext(id: u32): void {
  if (!streams.delete(id)) roots.delete(id);
}
