import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { incompatible, publish, type Standing, standingOf } from '../../schemas/publish.ts';
import { loadRecordSchemas } from '../../schemas/record-schemas.ts';
import { connectRegistry } from '../../schemas/registry.ts';
import { DEFAULT_TIMEOUT_MS, type RegistryOptions } from '../../schemas/registry-http.ts';
import { formatError, PlumblineError } from '../errors.ts';
import { topicNames } from '../log/topics.ts';
import { subjectsOf } from '../wire/subjects.ts';
import { EXIT } from './exit-codes.ts';
import { type LogFlags, readLogSettings } from './log-settings.ts';

interface SchemasFlags extends LogFlags {
  readonly registry?: string;
  readonly timeout: number;
  readonly format: string;
}

const MAX_TIMEOUT_MS = 600_000;

export function schemasCommand(program: Command): void {
  const group = program.command('schemas').description("the records' Avro schemas in a schema registry");
  withRegistryFlags(group.command('register'))
    .description("register every topic's schema that is not; refuses an incompatible one before it is registered")
    .action((flags: SchemasFlags) => run(flags, true));
  withRegistryFlags(group.command('check'))
    .description('whether every schema is registered, or could be: silent when all is well')
    .action((flags: SchemasFlags) => run(flags, false));
}

const withRegistryFlags = (command: Command): Command =>
  command
    .option(
      '--registry <url>',
      'the registry (PLUMBLINE_REGISTRY_URL; credentials: PLUMBLINE_REGISTRY_USER, _PASSWORD)',
    )
    .option('--prefix <prefix>', 'of the topics (PLUMBLINE_KAFKA_PREFIX; default none)')
    .option('--config <file>', 'settings, for the prefix (PLUMBLINE_CONFIG)')
    .option('--timeout <ms>', 'for each request', parseTimeout, DEFAULT_TIMEOUT_MS)
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'));

async function run(flags: SchemasFlags, isRegistering: boolean): Promise<void> {
  const registry = connectRegistry(registryOptions(flags, process.env));
  const schemas = loadRecordSchemas(loadContracts());
  const subjects = subjectsOf(topicNames(readLogSettings(flags, process.env).kafka.prefix));
  const standings = new Map<string, Standing>();
  for (const { kind, subject } of subjects) standings.set(subject, await standingOf(registry, subject, schemas[kind]));
  const isRefused = [...standings.values()].some(({ state }) => state === 'incompatible');
  // All or none: with half of them a worker would not start.
  if (isRegistering && !isRefused)
    for (const { kind, subject } of subjects)
      standings.set(subject, { state: 'registered', id: await publish(registry, subject, schemas[kind]) });
  tell(standings, flags.format);
  if (isRefused) process.exitCode = EXIT.failure;
}

function tell(standings: ReadonlyMap<string, Standing>, format: string): void {
  if (format === 'json') {
    const all = [...standings].map(([subject, standing]) => ({ subject, ...standing }));
    process.stdout.write(`${JSON.stringify(all)}\n`);
    return;
  }
  for (const [subject, standing] of standings)
    if (standing.state === 'incompatible')
      process.stderr.write(`${formatError(incompatible(subject, standing.reasons))}\n`);
}

/** @throws PlumblineError PLB-CLI-SETTING; its message has nothing of a URL that may hold a password */
function registryOptions(flags: SchemasFlags, env: NodeJS.ProcessEnv): RegistryOptions {
  const given = flags.registry ?? env.PLUMBLINE_REGISTRY_URL ?? '';
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new PlumblineError(
      'PLB-CLI-SETTING',
      given === '' ? 'there is no URL of a schema registry' : 'the URL of the schema registry is none of http or https',
      { hint: 'give --registry or PLUMBLINE_REGISTRY_URL, such as http://127.0.0.1:8081' },
    );
  if (url.username !== '' || url.password !== '')
    throw new PlumblineError('PLB-CLI-SETTING', 'the URL of the schema registry has credentials in it', {
      hint: 'give them as PLUMBLINE_REGISTRY_USER and PLUMBLINE_REGISTRY_PASSWORD: URLs are printed',
    });
  const user = env.PLUMBLINE_REGISTRY_USER ?? '';
  const credentials = user === '' ? {} : { credentials: { user, password: env.PLUMBLINE_REGISTRY_PASSWORD ?? '' } };
  return { url: given, timeoutMs: flags.timeout, ...credentials };
}

function parseTimeout(text: string): number {
  const ms = Number(text);
  if (/^\d{1,6}$/.test(text) && ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError(`expected milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
}
