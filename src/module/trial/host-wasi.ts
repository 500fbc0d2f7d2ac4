import { randomFillSync } from 'node:crypto';
import type { Guest } from './guest.ts';
import type { HostCalls } from './host-call.ts';

/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-errno-variant */
const Errno = { ok: 0, badf: 8, fault: 21, inval: 28, noent: 44, nosys: 52, notdir: 20, notsup: 58 } as const;

const STDOUT = 1;
const STDERR = 2;
const LEVEL_INFO = 2;
const LEVEL_ERROR = 4;
const MAX_RANDOM_BYTES = 65_536;
const MAX_TEXT_BYTES = 65_536;

/** WASI as Envoy gives it: no files, no sockets, no arguments; what is written to stdout and stderr is logged. */
export function wasiCalls(guest: Guest): HostCalls {
  return { ...environmentCalls(guest), ...clockCalls(guest), ...streamCalls(guest), ...fileCalls(guest) };
}

function toErrno(isDone: boolean): number {
  return isDone ? Errno.ok : Errno.fault;
}

function environmentCalls(guest: Guest): HostCalls {
  const variables = () => {
    guest.touch('a function that reads the environment');
    for (const name of guest.order.hostEnv) {
      guest.witness.want('hostEnv', name);
      guest.witness.unknowable(`env ${name} comes from the host (vmConfig.env valueFrom HOST)`);
    }
    return guest.order.env.map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  };
  return {
    args_get: () => Errno.ok,
    args_sizes_get: (countAt: number, sizeAt: number) =>
      toErrno(guest.memory.writeWord(countAt, 0) && guest.memory.writeWord(sizeAt, 0)),
    environ_sizes_get(countAt: number, sizeAt: number) {
      const all = variables();
      const size = all.reduce((sum, { length }) => sum + length, 0);
      return toErrno(guest.memory.writeWord(countAt, all.length) && guest.memory.writeWord(sizeAt, size));
    },
    environ_get(pointersAt: number, textsAt: number) {
      let textAt = textsAt;
      for (const [i, text] of variables().entries()) {
        const isTold = guest.memory.writeWord(pointersAt + 4 * i, textAt) && guest.memory.write(textAt, text);
        if (!isTold) return Errno.fault;
        textAt += text.length;
      }
      return Errno.ok;
    },
  };
}

function clockCalls(guest: Guest): HostCalls {
  return {
    clock_time_get(clock: number, _precision: bigint, at: number) {
      if (clock > 1) return Errno.notsup;
      const time = clock === 0 ? guest.now() : process.hrtime.bigint();
      return toErrno(guest.memory.writeLong(at, time));
    },
    clock_res_get: (clock: number, at: number) =>
      clock > 1 ? Errno.notsup : toErrno(guest.memory.writeLong(at, 1n)),
    poll_oneoff(_in: number, _out: number, _count: number, countAt: number) {
      if (guest.order.envoyMinor < 39) return Errno.nosys;
      return toErrno(guest.memory.writeWord(countAt, 0));
    },
    sched_yield: () => Errno.ok,
    // Comes back to the plugin, which goes on or traps.
    proc_exit() {
      guest.touch('proc_exit');
      return undefined;
    },
    random_get(at: number, size: number) {
      if (size > MAX_RANDOM_BYTES) return Errno.inval;
      return toErrno(size === 0 || guest.memory.write(at, randomFillSync(Buffer.alloc(size))));
    },
  };
}

/** stdout and stderr. */
function streamCalls(guest: Guest): HostCalls {
  const isStream = (fd: number) => fd === STDOUT || fd === STDERR;
  const onlyStreams = (fd: number) => (isStream(fd) ? Errno.ok : Errno.badf);
  const write = (fd: number, vectorsAt: number, count: number, writtenAt: number): number => {
    if (!isStream(fd)) return Errno.badf;
    const written = readVectors(guest, vectorsAt, count);
    if (written === undefined) return Errno.fault;
    if (written.size > 0) guest.witness.log(fd === STDOUT ? LEVEL_INFO : LEVEL_ERROR, written.text);
    return toErrno(guest.memory.writeWord(writtenAt, written.size));
  };
  return {
    fd_write: write,
    fd_pwrite: (fd: number, vectorsAt: number, count: number, _offset: bigint, writtenAt: number) =>
      write(fd, vectorsAt, count, writtenAt),
    fd_fdstat_get(fd: number, at: number) {
      if (!isStream(fd)) return Errno.badf;
      const stat = Buffer.alloc(24);
      stat.writeUInt32LE(64, 8); // fs_rights_base: to write
      guest.memory.write(at, stat);
      return Errno.ok;
    },
    fd_tell: (fd: number, at: number) =>
      isStream(fd) ? toErrno(guest.memory.writeLong(at, 0n)) : Errno.badf,
    fd_allocate: onlyStreams,
    fd_datasync: onlyStreams,
    fd_sync: onlyStreams,
    fd_fdstat_set_rights: onlyStreams,
    fd_filestat_set_size: onlyStreams,
    fd_filestat_set_times: onlyStreams,
    fd_renumber: (fd: number, to: number) => (isStream(fd) && isStream(to) ? Errno.notsup : Errno.badf),
    fd_fdstat_set_flags: () => Errno.nosys,
    fd_advise: () => Errno.ok,
    fd_close() {
      guest.touch('fd_close');
      return Errno.ok;
    },
    fd_seek() {
      guest.touch('fd_seek');
      return Errno.ok;
    },
  };
}

/** The size of all vectors, and as much of what they hold as a log line keeps; undefined: one is outside of the memory. */
function readVectors(guest: Guest, at: number, count: number): { text: string; size: number } | undefined {
  const parts: Buffer[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    const address = guest.memory.readWord(at + 8 * i);
    const length = guest.memory.readWord(at + 8 * i + 4);
    if (address === undefined || length === undefined) return undefined;
    if (length === 0) continue;
    if (!guest.memory.holds(address, length)) return undefined;
    if (size < MAX_TEXT_BYTES)
      parts.push(guest.memory.read(address, Math.min(length, MAX_TEXT_BYTES)) ?? Buffer.alloc(0));
    size += length;
  }
  return { text: Buffer.concat(parts).toString().replace(/\n$/, ''), size };
}

/** Files and sockets, of which there are none. */
function fileCalls(guest: Guest): HostCalls {
  const notSupported = () => Errno.notsup;
  const word = (at: number, answer: number) => (guest.memory.writeWord(at, 0) ? answer : Errno.fault);
  const long = (at: number, answer: number) => (guest.memory.writeLong(at, 0n) ? answer : Errno.fault);
  return {
    path_open: () => Errno.noent,
    fd_prestat_get: () => Errno.badf,
    fd_prestat_dir_name: () => Errno.nosys,
    fd_filestat_get: () => Errno.badf,
    fd_read: () => Errno.nosys,
    fd_pread: () => Errno.nosys,
    fd_readdir: (_fd: number, _at: number, _size: number, _cookie: bigint, usedAt: number) =>
      word(usedAt, Errno.notdir),
    path_readlink: (_fd: number, _at: number, _n: number, _to: number, _size: number, usedAt: number) =>
      word(usedAt, Errno.notsup),
    path_create_directory: notSupported,
    path_filestat_get: notSupported,
    path_filestat_set_times: notSupported,
    path_link: notSupported,
    path_remove_directory: notSupported,
    path_rename: notSupported,
    path_symlink: notSupported,
    path_unlink_file: notSupported,
    sock_accept: (_fd: number, _flags: number, at: number) => long(at, Errno.notsup),
    sock_recv: (_fd: number, _at: number, _n: number, _flags: number, sizeAt: number, flagsAt: number) =>
      guest.memory.writeWord(sizeAt, 0) && guest.memory.write(flagsAt, Buffer.alloc(2))
        ? Errno.notsup
        : Errno.fault,
    sock_send: (_fd: number, _at: number, _n: number, _flags: number, sizeAt: number) =>
      word(sizeAt, Errno.notsup),
    sock_shutdown: notSupported,
  };
}
