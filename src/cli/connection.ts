import { readFileSync } from 'node:fs';
import { toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';
import { findContext, readContexts } from './contexts.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:18002';

/** What a command line says of the server. */
export interface ServerOptions {
  readonly server?: string | undefined;
  readonly context?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Which server is talked to, and how. */
export interface Connection {
  /** Without a slash at its end. */
  readonly server: string;
  readonly token: string | undefined;
  /** PEM of the CAs that are trusted beside the usual ones. */
  readonly ca: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** What one place says of the server. */
interface Layer {
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/**
 * Flags win over `ATTACHE_*`, these over the context in use, that over loopback. A context that is named is a flag in
 * all its parts; the one in use gives its token and CA to no other server than its own.
 * Throws CliError `bad-usage`, `bad-file`, `unknown-context`.
 */
export function resolveConnection(options: ServerOptions, env: Env): Connection {
  const layers = toLayers(options, env);
  const server = layers.find(layer => layer.server !== undefined)?.server ?? DEFAULT_SERVER;
  const url = URL.parse(server);
  if (!/^https?:\/\/[^/]/.test(server) || url === null)
    throw new CliError('bad-usage', `--server ${server}: expected http://HOST:PORT or https://HOST:PORT`);
  if (url.username !== '' || url.password !== '')
    throw new CliError('bad-usage', '--server holds a user or a password, and neither is sent', {
      hint: 'Give it a token: $ATTACHE_TOKEN, or $ATTACHE_TOKEN_FILE',
    });
  const { token, tokenFile } = layers.find(layer => layer.token ?? layer.tokenFile) ?? {};
  const caFile = layers.find(layer => layer.caFile !== undefined)?.caFile;
  return {
    server: server.replace(/\/+$/, ''),
    token: toToken(token, tokenFile),
    ca: caFile === undefined ? undefined : readNamed(caFile, 'the CA of the server'),
  };
}

/** What is asked first stands first. */
function toLayers({ server, caFile, context }: ServerOptions, env: Env): readonly Layer[] {
  const flags = { server, caFile };
  if (context !== undefined) {
    if (server === undefined) return [flags, findContext(readContexts(env), context)];
    throw new CliError('bad-usage', '--server and --context both name a server', {
      hint: 'Leave one of them out.',
    });
  }
  // Empty variables are as good as none.
  const environment = {
    server: env.ATTACHE_SERVER || undefined,
    token: env.ATTACHE_TOKEN || undefined,
    tokenFile: env.ATTACHE_TOKEN_FILE || undefined,
    caFile: env.ATTACHE_CA_FILE || undefined,
  };
  if (server !== undefined || environment.server !== undefined) return [flags, environment];
  const contexts = readContexts(env);
  const inUse = contexts.current === undefined ? {} : findContext(contexts, contexts.current);
  return [flags, environment, inUse];
}

/** What a header cannot carry is told here, where it is known whence it is, and never printed: it may be most of a token. */
function toToken(given: string | undefined, file: string | undefined): string | undefined {
  const token = (given ?? (file === undefined ? undefined : readNamed(file, 'the token')))?.trim();
  if (token === undefined || /^[\x21-\x7e]*$/.test(token)) return token;
  const where = given === undefined ? file : '$ATTACHE_TOKEN';
  throw new CliError('bad-file', `${where} holds no token: a token is one line without spaces`, {
    hint: 'Write nothing else there than what attache token create printed.',
  });
}

function readNamed(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('bad-file', `${what}: ${toMessage(cause)}`, { cause });
  }
}
