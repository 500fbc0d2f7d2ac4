/**
 * Fetches every path on a connection of its own, all at once, as a fleet of Envoys does when a module is new to it. A process
 * of its own, so that the figures of the server are the server's. `node fetch-all.ts <FetchOrder as JSON>` prints a FetchReport.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FetchOrder {
  readonly host: string;
  readonly port: number;
  readonly paths: readonly string[];
}

export interface FetchReport {
  /** From the first connection to the last byte of all. */
  readonly wallMs: number;
  readonly bytes: number;
  /** Those that did not get a whole body with status 200. */
  readonly failed: number;
}

/** All read into the same place: nobody looks at the bytes. */
const ROOM = Buffer.alloc(256 << 10);

function fetchOne(order: FetchOrder, path: string): Promise<number> {
  return new Promise(resolve => {
    let head = '';
    let wanted = Number.NaN;
    let got = 0;
    const socket = connect({
      host: order.host,
      port: order.port,
      onread: {
        buffer: ROOM,
        callback(count) {
          got += count;
          if (Number.isNaN(wanted)) {
            head += ROOM.toString('latin1', 0, count);
            const end = head.indexOf('\r\n\r\n');
            const length = /^HTTP\/1\.1 200 [\s\S]*\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
            if (end >= 0) wanted = end + 4 + Number(length ?? Number.POSITIVE_INFINITY);
          }
          if (got >= wanted) socket.destroy();
          return true;
        },
      },
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got >= wanted ? got : 0));
    // What Envoy's HTTP client sends.
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${order.host}\r\nx-envoy-expected-rq-timeout-ms: 11000\r\n\r\n`,
    );
  });
}

const order = JSON.parse(await text(process.stdin)) as FetchOrder;
const began = performance.now();
const got = await Promise.all(order.paths.map(path => fetchOne(order, path)));
const report: FetchReport = {
  wallMs: performance.now() - began,
  bytes: got.reduce((sum, bytes) => sum + bytes, 0),
  failed: got.filter(bytes => bytes === 0).length,
};
process.stdout.write(JSON.stringify(report));
