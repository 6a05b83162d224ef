import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { incompatible, publish, type Standing, standingOf } from '../../schemas/publish.ts';
import { loadRecordSchemas } from '../../schemas/record-schemas.ts';
import { connectRegistry } from '../../schemas/registry.ts';
import type { RegistryOptions } from '../../schemas/registry-http.ts';
import { formatError, PlumblineError } from '../errors.ts';
import { topicNames } from '../log/topics.ts';
import { subjectsOf } from '../wire/subjects.ts';
import { EXIT } from './exit-codes.ts';
import { type LogFlags, readLogSettings, registryOptionsOf } from './log-settings.ts';

interface SchemasFlags extends LogFlags {
  readonly timeout?: number;
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
    .option('--timeout <ms>', 'for each request (PLUMBLINE_REGISTRY_TIMEOUT_MS; default 10000)', parseTimeout)
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'));

async function run(flags: SchemasFlags, isRegistering: boolean): Promise<void> {
  const registry = connectRegistry(registryOptions(flags));
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

/** @throws PlumblineError PLB-CLI-SETTING */
function registryOptions(flags: SchemasFlags): RegistryOptions {
  const options = registryOptionsOf(readLogSettings(flags, process.env));
  if (options !== null) return flags.timeout === undefined ? options : { ...options, timeoutMs: flags.timeout };
  throw new PlumblineError('PLB-CLI-SETTING', 'there is no URL of a schema registry', {
    hint: 'give --registry or PLUMBLINE_REGISTRY_URL, such as http://127.0.0.1:8081',
  });
}

function parseTimeout(text: string): number {
  const ms = Number(text);
  if (/^\d{1,6}$/.test(text) && ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError(`expected milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
}
