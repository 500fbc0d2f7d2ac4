import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import { resolveConnection } from '../connection.ts';
import { EXIT } from '../exit-code.ts';
import { readStdin } from '../read-stdin.ts';
import {
  addRegistryOptions,
  type RegistryOptions,
  type RegistryTarget,
  toDockerConfigPath,
  toRegistryAccess,
  toRegistryName,
} from '../registry-target.ts';

interface LoginOptions extends RegistryOptions {
  readonly username: string;
  readonly passwordStdin?: true;
}

const LOGIN_HELP = `
The registry is asked whether it knows you; then the login is kept as docker keeps it: by the credential helper that
~/.docker/config.json names, else in that file ($DOCKER_CONFIG names another folder). docker, oras and crane use the same.
The password of the built-in registry is a token of the API, or its publish token.

Example:
  attache registry login registry.example --username ann --password-stdin < token`;

/** `attache registry login|logout`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('log in to a registry, or out of it')
    .addHelpText('after', '\nExample:\n  attache registry login registry.example --username ann');
  const add = (name: string, summary: string): Command =>
    addRegistryOptions(command.command(name).description(summary)).argument(
      '[host]',
      'HOST[:PORT] (default: the built-in registry of the server)',
    );
  add('login', 'say who you are, for push, pull and the like')
    .option('-u, --username <name>', 'the user; any will do where only a token counts', 'attache')
    .option('--password-stdin', 'the password comes from stdin (default: you are asked)')
    .addHelpText('after', LOGIN_HELP)
    .action(async (host: string | undefined, options: LoginOptions) =>
      finish(await login(host, options, context)),
    );
  add('logout', 'forget who you are there')
    .addHelpText('after', '\nExample:\n  attache registry logout registry.example')
    .action(async (host: string | undefined, options: RegistryOptions) => {
      const target = toHost(host, options, context);
      const kept = await context.ports.logOut(toDockerConfigPath(context), target.host);
      context.out(
        kept === undefined ? `${target.host}: there was no login` : `logged out of ${target.host} (${kept})`,
      );
      finish(EXIT.done);
    });
};

async function login(
  text: string | undefined,
  options: LoginOptions,
  context: CommandContext,
): Promise<number> {
  const target = toHost(text, options, context);
  const { username } = options;
  if (username === '' || username.includes(':'))
    throw new CliError('bad-usage', `--username ${username}: expected a name without a colon`);
  const password = await readPassword(target.host, options, context);
  if (password === '') throw new CliError('bad-usage', 'the password is empty');
  const access = toRegistryAccess(target, options, context);
  const { keptIn, verified } = await context.ports.logIn({
    ...access,
    host: target.host,
    login: { username, password },
  });
  const where = `${toRegistryName(target)} as ${username}, kept in ${keptIn}`;
  if (verified) context.out(`logged in to ${where}`);
  else
    context.out(
      `not verified: ${toRegistryName(target)} asks nobody who they are. Login as ${username}, kept in ${keptIn}`,
    );
  return EXIT.done;
}

async function readPassword(
  host: string,
  { username, passwordStdin }: LoginOptions,
  { askHidden }: CommandContext,
): Promise<string> {
  if (passwordStdin) return readStdin().replace(/\r?\n$/, '');
  if (askHidden !== undefined) return askHidden(`Password or token of ${username} at ${host}: `);
  throw new CliError('bad-usage', 'there is nobody to ask for the password', {
    hint: 'Give it on stdin: --password-stdin < FILE',
  });
}

/** `registry.example`, also as `https://registry.example/`; without one the built-in registry. */
function toHost(
  text: string | undefined,
  options: RegistryOptions,
  context: CommandContext,
): Pick<RegistryTarget, 'host' | 'builtIn'> {
  const { host: own } = new URL(resolveConnection(options, context.env).server);
  const host = (text ?? own).replace(/^(https?|oci):\/\//, '').replace(/\/$/, '');
  if (!/^[a-z0-9.[\]:-]+$/i.test(host)) throw new CliError('bad-usage', `${text}: expected HOST[:PORT]`);
  return { host, builtIn: host === own };
}
