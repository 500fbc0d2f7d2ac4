/**
 * Where in the life of a plugin a host function is called: while it is instantiated (its start function), in
 * _initialize, main or _start, in its allocator, or in a callback.
 */
export type Moment = 'link' | 'start' | 'malloc' | 'run';

/** Measured on Envoy 1.36.2, 1.37.0, 1.39.3 and 1.40.0: all others trap there. By the first minor release. */
const IN_START: Readonly<Record<string, number>> = {
  'env.proxy_log': 0,
  'env.emscripten_notify_memory_growth': 37,
  poll_oneoff: 39,
};
const NOT_IN_START: readonly string[] = [
  'fd_close',
  'fd_read',
  'fd_seek',
  'path_open',
  'proc_exit',
  'sched_yield',
];
const IN_MALLOC: Readonly<Record<string, number>> = {
  'env.proxy_log': 0,
  fd_write: 0,
  clock_time_get: 0,
  poll_oneoff: 39,
};
/** Of module `env`: the only ones that Envoy survives in a start function. */
const IN_LINK: readonly string[] = ['env.pthread_equal', 'env.emscripten_notify_memory_growth'];

/** Whether Envoy lets a plugin call a host function, `<module>.<name>`, at a moment. */
export function isAllowed(name: string, moment: Moment, envoyMinor: number): boolean {
  const isWasi = name.startsWith('wasi_');
  const short = isWasi ? name.slice(name.indexOf('.') + 1) : name;
  switch (moment) {
    case 'run':
      return true;
    case 'link':
      // What WASI functions touch decides.
      return isWasi || IN_LINK.includes(name);
    case 'malloc':
      return envoyMinor >= (IN_MALLOC[short] ?? Number.POSITIVE_INFINITY);
    case 'start': {
      const since = IN_START[short];
      if (since !== undefined) return envoyMinor >= since;
      return isWasi && !NOT_IN_START.includes(short);
    }
    default:
      return moment satisfies never;
  }
}
