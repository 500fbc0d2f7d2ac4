import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findHostFunctions } from '../../../../src/module/host-functions.ts';
import { linkHost } from '../../../../src/module/trial/link-host.ts';
import { linkStreams } from '../../../../src/module/trial/stream/link-streams.ts';
import { runExchange } from '../../../../src/module/trial/stream/run-exchange.ts';
import { createWorld, makeStep } from './stream-world.ts';

const PAGE = 65_536;
/** Numbers as WebAssembly hands them over: any, but often near the borders of the memory, or such that mean something. */
const word = fc.oneof(
  fc.integer(),
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: PAGE - 16, max: PAGE + 16 }),
  fc.constantFrom(-1, 0, 0x7fff_ffff, -0x8000_0000, 1024),
);
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const signatures = [...findHostFunctions('0.2.1', '1.40.0'), ...findHostFunctions('0.1.0', '1.40.0')];

test('the host has the functions of a trial, and no others', () => {
  const { guest } = createWorld(() => ({}));
  assert.deepEqual([...linkStreams(guest).keys()].sort(), [...linkHost(guest).keys()].sort());
});

for (const [name, signature] of new Map(signatures))
  test(`${name} takes any arguments in the middle of a request`, () => {
    const [parameters = '', results] = signature.split('->');
    const types = parameters === '' ? [] : parameters.split(',');
    fc.assert(
      fc.property(fc.tuple(...types.map(type => (type === 'i64' ? long : word))), values => {
        const world = createWorld(made => ({
          proxy_on_request_headers: () => {
            const answer = linkStreams(made.guest).get(name)?.(...values);
            if (results === '') assert.equal(answer, undefined);
            else assert.ok(Number(answer) >= 0 && Number(answer) < 64, `${answer}`);
            return 0;
          },
        }));
        runExchange(world.guest, 2, makeStep({ body: ['x'] }));
      }),
      { numRuns: 40 },
    );
  });
