import {
  buildProxyWasm,
  buildWasm,
  leb,
  type WasmPart,
  type WasmShape,
} from '../../fixtures/wasm-builder.ts';
import { type BadArtifact, WASM } from './artifact.ts';

const PREAMBLE = Buffer.from('0061736d01000000', 'hex');
const GOOD = Buffer.from(buildProxyWasm({ comment: 'good' }));
const ABI = { name: 'proxy_abi_version_0_2_1', type: '->' };
const MALLOC = { name: 'malloc', type: 'i32->i32' };

const section = (id: number, ...contents: readonly number[]): Buffer =>
  Buffer.from([id, ...leb(contents.length), ...contents]);
const raw = (...sections: readonly Buffer[]): Buffer => Buffer.concat([PREAMBLE, ...sections]);
const text = (name: string): readonly number[] => [...leb(Buffer.byteLength(name)), ...Buffer.from(name)];

/** The sections of a module, so that a test can put them together otherwise. */
function sectionsOf(module: Uint8Array): readonly Buffer[] {
  const sections: Buffer[] = [];
  for (let at = 8; at < module.length; ) {
    let size = 0;
    let next = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = module[next++] ?? 0;
      size += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    sections.push(Buffer.from(module.subarray(at, next + size)));
    at = next + size;
  }
  return sections;
}

const bytes = (name: string, code: BadArtifact['code'], module: Uint8Array): BadArtifact => ({
  name: `module: ${name}`,
  code,
  build: artifact => artifact.image([artifact.blob(WASM, module)]),
});
const built = (name: string, code: BadArtifact['code'], shape: WasmShape): BadArtifact =>
  bytes(name, code, buildProxyWasm(shape));
const importing = (name: string, code: BadArtifact['code'], one: WasmPart): BadArtifact =>
  built(name, code, { imports: [one] });
const exporting = (
  name: string,
  code: BadArtifact['code'],
  type: string,
  instructions?: readonly number[],
): BadArtifact =>
  built(`${name} as (${type}), ${code}`, code, {
    exports: [{ name, type, ...(instructions === undefined ? {} : { code: instructions }) }],
  });

const UNREACHABLE = [0x00];
const ENDLESS = [0x03, 0x40, 0x0c, 0x00, 0x0b, 0x41, 0x01];
const REFUSE = [0x41, 0x00];
const sections = sectionsOf(GOOD);

export const BAD_MODULES: readonly BadArtifact[] = [
  bytes('no bytes', 'not-wasm', Buffer.alloc(0)),
  bytes('a web page', 'not-wasm', Buffer.from('<!doctype html><title>404</title>')),
  bytes('its text form', 'not-wasm', Buffer.from('(module)')),
  bytes('an ELF file', 'not-wasm', Buffer.from('\x7fELF\x02\x01\x01', 'latin1')),
  bytes('half a preamble', 'not-wasm', PREAMBLE.subarray(0, 6)),
  bytes('version 2', 'not-wasm', Buffer.from('0061736d02000000', 'hex')),
  bytes('a component', 'component', Buffer.from('0061736d0d000100', 'hex')),
  bytes('cut off in a section', 'broken-wasm', GOOD.subarray(0, 20)),
  bytes('cut off in its code', 'broken-wasm', cutInCode()),
  bytes('a section that is longer than the file', 'broken-wasm', raw(Buffer.from([1, 0xff, 0x7f, 0]))),
  bytes('a number of six bytes', 'broken-wasm', raw(Buffer.from([1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]))),
  bytes('four billion types', 'broken-wasm', raw(section(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x60))),
  bytes('four billion imports', 'broken-wasm', raw(section(2, 0xff, 0xff, 0xff, 0xff, 0x0f))),
  bytes('a million sections', 'broken-wasm', raw(Buffer.alloc(2 << 20, Buffer.from([4, 0])))),
  bytes('an import of unknown kind', 'broken-wasm', raw(section(2, 1, 1, 0x61, 1, 0x62, 9, 0))),
  bytes('sections in another order', 'broken-wasm', Buffer.concat([PREAMBLE, ...sections.toReversed()])),
  bytes('a section twice', 'broken-wasm', Buffer.concat([GOOD, sections[0] ?? PREAMBLE])),
  bytes('a section that nobody knows', 'broken-wasm', Buffer.concat([GOOD, section(99, 1, 2, 3)])),
  bytes('something behind its last section', 'broken-wasm', Buffer.concat([GOOD, Buffer.from([0xff])])),
  bytes(
    'functions without code',
    'broken-wasm',
    Buffer.concat([PREAMBLE, ...sections.filter(one => one[0] !== 10)]),
  ),
  bytes('a name that is no UTF-8', 'broken-wasm', Buffer.concat([GOOD, section(0, 2, 0xff, 0xfe)])),
  built('an instruction that does not exist', 'broken-wasm', {
    exports: [{ name: 'run', type: '->', code: [0xff] }],
  }),
  built('code that leaves too little on the stack', 'broken-wasm', {
    exports: [{ name: 'run', type: '->i32', code: [0x01] }],
  }),
  built('one name exported twice', 'broken-wasm', {
    exports: [MALLOC, { name: 'run', type: '->' }, { name: 'run', type: '->' }],
  }),
  bytes('an export of a function that is not there', 'broken-wasm', exportMore([...text('run'), 0, 99])),
  bytes('nothing in it', 'no-proxy-abi', PREAMBLE),
  bytes('no ABI', 'no-proxy-abi', buildWasm({ exports: [MALLOC] })),
  bytes('an ABI to come', 'no-proxy-abi', buildProxyWasm({}, '0_3_0')),
  bytes(
    'an ABI that is a memory',
    'no-proxy-abi',
    exportMore([...text(ABI.name), 2, 0], buildWasm({ exports: [MALLOC] })),
  ),
  bytes('a WASI program', 'no-proxy-abi', buildWasm({ exports: [{ name: '_start', type: '->' }] })),
  bytes('no allocator', 'no-allocator', buildWasm({ exports: [ABI] })),
  bytes(
    'an allocator that is a memory',
    'no-allocator',
    exportMore([...text('malloc'), 2, 0], buildWasm({ exports: [ABI] })),
  ),
  built('a memory of 1 GiB and a page', 'memory-too-big', { memoryPages: 16_385 }),
  built('a memory of 4 GiB', 'memory-too-big', { memoryPages: 65_536 }),
  importing('an imported memory of 2 GiB', 'memory-too-big', {
    module: 'env',
    name: 'memory',
    memoryPages: 32_768,
  }),
  importing('an imported global', 'imported-global', {
    module: 'env',
    name: '__stack_pointer',
    global: 'i32',
  }),
  importing('an import that nobody has', 'unknown-import', {
    module: 'env',
    name: 'nobody_has_this',
    type: 'i32->i32',
  }),
  importing('an import with a name of a hundred thousand letters', 'unknown-import', {
    module: 'env',
    name: 'n'.repeat(100_000),
    type: 'i32->i32',
  }),
  importing('an import from a module that nobody has', 'unknown-import', {
    module: 'wasi',
    name: 'fd_write',
    type: '->',
  }),
  importing('an import of JavaScript', 'unknown-import', {
    module: './index_bg.js',
    name: '__wbg_log',
    type: 'i32->',
  }),
  importing('a host function with too few parameters', 'unknown-import', {
    module: 'env',
    name: 'proxy_log',
    type: 'i32->i32',
  }),
  importing('a host function with another result', 'unknown-import', {
    module: 'env',
    name: 'proxy_log',
    type: 'i32,i32,i32->i64',
  }),
  importing('a name that is in every JavaScript object', 'unknown-import', {
    module: 'env',
    name: 'constructor',
    type: '->',
  }),
  exporting('proxy_on_configure', 'bad-callback', 'i32->i32'),
  exporting('proxy_on_vm_start', 'bad-callback', 'i64,i32->i32'),
  exporting('proxy_on_request_headers', 'bad-callback', 'i32,i32,i32->'),
  exporting('_start', 'bad-callback', 'i32->'),
  built('it traps when it starts', 'trial-trapped', {
    exports: [{ name: 'run', type: '->', code: UNREACHABLE }],
    start: 'run',
  }),
  built('it traps as the bytes of its memory are laid out', 'trial-trapped', {
    data: { at: 65_536, text: 'beyond' },
  }),
  exporting('proxy_on_vm_start', 'trial-refused', 'i32,i32->i32', REFUSE),
  exporting('proxy_on_configure', 'trial-refused', 'i32,i32->i32', REFUSE),
  exporting('proxy_on_configure', 'trial-timeout', 'i32,i32->i32', ENDLESS),
];

/** A module with one more export, as bytes of the export section. */
function exportMore(entry: readonly number[], module: Uint8Array = GOOD): Buffer {
  const changed = sectionsOf(module).map(one => {
    if (one[0] !== 7) return one;
    const contents = [...one.subarray(2)];
    return section(7, (contents[0] ?? 0) + 1, ...contents.slice(1), ...entry);
  });
  return Buffer.concat([PREAMBLE, ...changed]);
}

/** The last section before the comment is the code. */
function cutInCode(): Buffer {
  const before = sections.filter(one => one[0] !== 10 && one[0] !== 0);
  const code = sections.find(one => one[0] === 10) ?? PREAMBLE;
  return Buffer.concat([PREAMBLE, ...before, code.subarray(0, -2)]);
}
