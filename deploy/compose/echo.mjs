/** The application behind the Envoy: answers 200 with what it was asked. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(`${request.method} ${request.url}\n`);
});
server.listen(8080, '0.0.0.0');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
