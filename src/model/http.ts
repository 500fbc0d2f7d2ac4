/**
 * What is used of node:http. An `import` of it has Node read every name that it exports, also those of its WebSocket and all
 * that fetch needs: 70 ms of CPU and 16 MB at the start of a server, which needs neither.
 */
export const { Agent, createServer, request } = process.getBuiltinModule('node:http');
