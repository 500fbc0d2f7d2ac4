/** `attache` as it is, with the xDS port on node:http2: `node bench/xds/serve-own-transport.ts serve …`. */
import { createContext, main } from '../../src/main.ts';
import { startOwnTransport } from './own-transport.ts';

const context = createContext();
process.exitCode = await main(process.argv.slice(2), {
  ...context,
  ports: {
    ...context.ports,
    async startControlPlane(config, log) {
      const { startControlPlane } = await import('../../src/control-plane.ts');
      return startControlPlane(config, log, startOwnTransport);
    },
  },
});
