import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { type LogFlags, type LogSettings, readLogSettings } from './log-settings.ts';
import { defaultThreads, MAX_THREADS } from './threads.ts';

/** Where things lie and listen; flags before environment before defaults. */
export interface Settings {
  readonly dataDir: string;
  readonly log: LogSettings;
  readonly host: string;
  readonly port: number;
  readonly threads: number;
  readonly setFiles: readonly string[];
}

export interface SettingsFlags extends LogFlags {
  readonly host?: string;
  readonly port?: number;
  readonly sets?: string;
  readonly threads?: number;
}

const DEFAULT_PORT = 8080;
const SHIPPED_SETS = fileURLToPath(new URL('../../constraint-sets/', import.meta.url));

/** Flags of a command that works on any log. */
export const withLogFlags = (command: Command): Command =>
  withDataDir(command)
    .addOption(new Option('--log <log>', 'which log (PLUMBLINE_LOG; default embedded)').choices(['embedded', 'kafka']))
    .option('--config <file>', 'settings of the log (PLUMBLINE_CONFIG)')
    .option('--brokers <host:port,…>', 'brokers of Kafka (PLUMBLINE_KAFKA_BROKERS)')
    .option('--prefix <prefix>', 'of topics, groups and transactional ids (PLUMBLINE_KAFKA_PREFIX)')
    .option(
      '--connect <mapping[=topic,…]>',
      "a CRM's own events by a mapping; may be given again (PLUMBLINE_CONNECT, with `;` between)",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--registry <url>', 'schema registry: records then lie on Kafka as Avro (PLUMBLINE_REGISTRY_URL)');

export const withStages = (command: Command): Command =>
  command.option(
    '--stages <stage,…>',
    'which of connect, ingest and score this process runs, on Kafka (PLUMBLINE_STAGES)',
  );

export const withDataDir = (command: Command): Command =>
  command.option('--data-dir <dir>', 'the embedded log, local state (PLUMBLINE_DATA_DIR; default .plumbline)');

export const withProcessorFlags = (command: Command): Command =>
  withLogFlags(command)
    .option(
      '--sets <dir>',
      'constraint sets to run; others that are active are retired (PLUMBLINE_SETS_DIR; default those that ship)',
    )
    .option('--policy <file>', 'rules for changing rules (PLUMBLINE_POLICY; without, nothing can be rolled out)')
    .option('--host <host>', 'HTTP address (PLUMBLINE_HTTP_HOST; default 127.0.0.1)')
    .option('--port <port>', 'HTTP port (PLUMBLINE_HTTP_PORT; default 8080)', parsePort)
    .option(
      '--threads <count>',
      `threads that run tasks (PLUMBLINE_THREADS; default one a core, at most ${MAX_THREADS})`,
      parseThreads,
    );

export const dataDirOf = (flags: SettingsFlags, env: NodeJS.ProcessEnv): string => readLogSettings(flags, env).data_dir;

/** @throws PlumblineError PLB-CLI-SETTING, PLB-CLI-FILE, PLB-CLI-NO-SETS */
export function readSettings(flags: SettingsFlags, env: NodeJS.ProcessEnv): Settings {
  const setsDir = resolve(flags.sets ?? (env.PLUMBLINE_SETS_DIR || SHIPPED_SETS));
  return {
    dataDir: dataDirOf(flags, env),
    log: readLogSettings(flags, env),
    host: flags.host ?? (env.PLUMBLINE_HTTP_HOST || '127.0.0.1'),
    port: flags.port ?? portFromEnv(env.PLUMBLINE_HTTP_PORT),
    threads: flags.threads ?? threadsFromEnv(env.PLUMBLINE_THREADS),
    setFiles: yamlFiles(setsDir),
  };
}

function yamlFiles(directory: string): readonly string[] {
  const names = namesIn(directory).filter((name) => /\.ya?ml$/.test(name));
  // Nobody means by it that every set shall be retired.
  if (names.length === 0)
    throw new PlumblineError('PLB-CLI-NO-SETS', `there is no *.yaml in \`${directory}\``, {
      hint: 'check --sets (PLUMBLINE_SETS_DIR): it takes a directory with constraint sets',
    });
  return names.sort().map((name) => join(directory, name));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw new PlumblineError('PLB-CLI-FILE', `can't read the constraint sets in \`${directory}\``, {
      hint: 'check --sets',
      cause,
    });
  }
}

function portFromEnv(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = toPort(text);
  if (port === null)
    throw new PlumblineError('PLB-CLI-SETTING', `PLUMBLINE_HTTP_PORT is \`${text.slice(0, 20)}\``, {
      hint: 'expected a number from 0 to 65535; 0 takes a free port',
    });
  return port;
}

function parsePort(text: string): number {
  const port = toPort(text);
  if (port === null) throw new InvalidArgumentError('expected a number from 0 to 65535');
  return port;
}

function threadsFromEnv(text: string | undefined): number {
  if (text === undefined || text === '') return defaultThreads();
  const count = toThreads(text);
  if (count === null)
    throw new PlumblineError('PLB-CLI-SETTING', `PLUMBLINE_THREADS is \`${text.slice(0, 20)}\``, {
      hint: `expected a number from 1 to ${MAX_THREADS}`,
    });
  return count;
}

function parseThreads(text: string): number {
  const count = toThreads(text);
  if (count === null) throw new InvalidArgumentError(`expected a number from 1 to ${MAX_THREADS}`);
  return count;
}

const toThreads = (text: string): number | null =>
  /^\d$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_THREADS ? Number(text) : null;

function toPort(text: string): number | null {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : null;
}
