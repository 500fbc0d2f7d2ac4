/** `npm run openapi`: writes docs/openapi.json as the server answers it; a test compares the two. */
import { writeFileSync } from 'node:fs';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { startApi } from './api/api-client.ts';
import { readOpenApi } from './contract/openapi-document.ts';

const store = createMemoryStore();
const api = await startApi(store);
try {
  const document = await readOpenApi(api.url);
  const path = new URL('../docs/openapi.json', import.meta.url);
  writeFileSync(path, `${JSON.stringify(document, null, 1)}\n`);
  console.log(`docs/openapi.json: ${Object.keys(document.paths).length} paths`);
} finally {
  await api.stop();
  await store.close();
}
