import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DEFAULT_TIMEOUT_MS, type RegistryOptions } from '../../schemas/registry-http.ts';
import { PlumblineError } from '../errors.ts';

export interface LogFlags {
  readonly dataDir?: string;
  readonly log?: string;
  readonly config?: string;
  readonly brokers?: string;
  readonly prefix?: string;
  readonly registry?: string;
  readonly stages?: string;
  readonly connect?: readonly string[];
  readonly policy?: string;
}

const MAX_PARTITIONS = 1_000;
const MAX_CONNECTORS = 20;
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;

export const STAGES = ['connect', 'ingest', 'score', 'control'] as const;

const sasl = z.strictObject({
  mechanism: z.enum(MECHANISMS),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  /** OAUTHBEARER: a file with the token, read again for each connection. */
  token_file: z.string().min(1).optional(),
});

const tls = z.strictObject({
  enabled: z.boolean().default(true),
  ca_file: z.string().min(1).optional(),
  cert_file: z.string().min(1).optional(),
  key_file: z.string().min(1).optional(),
});

const shape = z.strictObject({
  log: z.enum(['embedded', 'kafka']).default('embedded'),
  data_dir: z.string().min(1).default('.plumbline'),
  /** What a process on Kafka runs. */
  stages: z
    .array(z.enum(STAGES))
    .min(1)
    .max(STAGES.length)
    .refine((stages) => new Set(stages).size === stages.length, 'each stage once')
    .default([...STAGES]),
  /** CRMs' own events: a mapping, and on Kafka the topics where they lie, unless it is the format's own. */
  connectors: z
    .array(
      z.strictObject({
        mapping: z.string().min(1),
        topics: z
          .array(z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'expected the name of a topic'))
          .min(1)
          .optional(),
      }),
    )
    .max(MAX_CONNECTORS)
    .default([]),
  /** The rules for changing rules (docs/rollouts.md). */
  policy: z.string().min(1).optional(),
  /** What switches processing and rollouts off: a file, or a module that gives an OpenFeature provider. */
  flags: z.strictObject({ file: z.string().min(1).optional(), provider: z.string().min(1).optional() }).prefault({}),
  salesforce: z
    .strictObject({
      /** Schemas of Avro payloads, as GetSchema of the Pub/Sub API gives them: ID.avsc. */
      schemas_dir: z.string().min(1).optional(),
    })
    .prefault({}),
  /** HubSpot's webhooks: the app's client secret, and the target URL that the app was given. */
  hubspot: z.strictObject({ secret: z.string().min(1), url: z.url({ protocol: /^https?$/ }) }).optional(),
  /** Pipedrive's webhooks: what was given for HTTP auth. */
  pipedrive: z.strictObject({ user: z.string().min(1), password: z.string().min(1) }).optional(),
  kafka: z
    .strictObject({
      brokers: z.array(z.string().regex(/^[^\s,]+:\d{1,5}$/, 'expected host:port')).default([]),
      client_id: z.string().min(1).max(100).default('plumbline'),
      prefix: z
        .string()
        .max(100)
        .regex(/^[A-Za-z0-9._-]*$/, 'expected letters, digits, dots, dashes and underscores')
        .default(''),
      partitions: z.int().min(1).max(MAX_PARTITIONS).default(4),
      replication: z.int().min(1).max(10).default(3),
      tls: tls.optional(),
      sasl: sasl.optional(),
    })
    .prefault({}),
  /** With it, records lie on Kafka as Avro; without, as JSON. */
  registry: z
    .strictObject({
      url: z.string().max(1_000),
      user: z.string().min(1).optional(),
      password: z.string().optional(),
      timeout_ms: z.int().min(1).max(600_000).default(DEFAULT_TIMEOUT_MS),
    })
    .optional(),
});

export type LogSettings = z.infer<typeof shape>;

/** A setting's variable, and where it stands in the file. */
const VARIABLES: readonly (readonly [string, readonly string[], ('number' | 'list' | 'boolean')?])[] = [
  ['PLUMBLINE_LOG', ['log']],
  ['PLUMBLINE_DATA_DIR', ['data_dir']],
  ['PLUMBLINE_STAGES', ['stages'], 'list'],
  ['PLUMBLINE_KAFKA_BROKERS', ['kafka', 'brokers'], 'list'],
  ['PLUMBLINE_KAFKA_CLIENT_ID', ['kafka', 'client_id']],
  ['PLUMBLINE_KAFKA_PREFIX', ['kafka', 'prefix']],
  ['PLUMBLINE_KAFKA_PARTITIONS', ['kafka', 'partitions'], 'number'],
  ['PLUMBLINE_KAFKA_REPLICATION', ['kafka', 'replication'], 'number'],
  ['PLUMBLINE_KAFKA_TLS', ['kafka', 'tls', 'enabled'], 'boolean'],
  ['PLUMBLINE_KAFKA_TLS_CA_FILE', ['kafka', 'tls', 'ca_file']],
  ['PLUMBLINE_KAFKA_TLS_CERT_FILE', ['kafka', 'tls', 'cert_file']],
  ['PLUMBLINE_KAFKA_TLS_KEY_FILE', ['kafka', 'tls', 'key_file']],
  ['PLUMBLINE_KAFKA_SASL_MECHANISM', ['kafka', 'sasl', 'mechanism']],
  ['PLUMBLINE_KAFKA_SASL_USERNAME', ['kafka', 'sasl', 'username']],
  ['PLUMBLINE_KAFKA_SASL_PASSWORD', ['kafka', 'sasl', 'password']],
  ['PLUMBLINE_KAFKA_SASL_TOKEN_FILE', ['kafka', 'sasl', 'token_file']],
  ['PLUMBLINE_POLICY', ['policy']],
  ['PLUMBLINE_FLAGS_FILE', ['flags', 'file']],
  ['PLUMBLINE_FLAGS_PROVIDER', ['flags', 'provider']],
  ['PLUMBLINE_SALESFORCE_SCHEMAS_DIR', ['salesforce', 'schemas_dir']],
  ['PLUMBLINE_HUBSPOT_SECRET', ['hubspot', 'secret']],
  ['PLUMBLINE_HUBSPOT_URL', ['hubspot', 'url']],
  ['PLUMBLINE_PIPEDRIVE_USER', ['pipedrive', 'user']],
  ['PLUMBLINE_PIPEDRIVE_PASSWORD', ['pipedrive', 'password']],
  ['PLUMBLINE_REGISTRY_URL', ['registry', 'url']],
  ['PLUMBLINE_REGISTRY_USER', ['registry', 'user']],
  ['PLUMBLINE_REGISTRY_PASSWORD', ['registry', 'password']],
  ['PLUMBLINE_REGISTRY_TIMEOUT_MS', ['registry', 'timeout_ms'], 'number'],
];

type Tree = { [name: string]: unknown };

/**
 * Which log, and where: flags before environment before file before defaults.
 * @throws PlumblineError PLB-CLI-SETTING, PLB-CLI-FILE
 */
export function readLogSettings(flags: LogFlags, env: NodeJS.ProcessEnv): LogSettings {
  const tree = fileTree(flags.config ?? env.PLUMBLINE_CONFIG);
  for (const [name, path, kind] of VARIABLES) {
    const text = env[name];
    if (text !== undefined && text !== '') put(tree, path, fromText(text, kind));
  }
  if (flags.log !== undefined) put(tree, ['log'], flags.log);
  if (flags.dataDir !== undefined) put(tree, ['data_dir'], flags.dataDir);
  if (flags.stages !== undefined) put(tree, ['stages'], fromText(flags.stages, 'list'));
  if (flags.brokers !== undefined) put(tree, ['kafka', 'brokers'], fromText(flags.brokers, 'list'));
  const connect = flags.connect ?? env.PLUMBLINE_CONNECT?.split(';').filter((text) => text !== '');
  if (connect !== undefined && connect.length > 0) put(tree, ['connectors'], connect.map(connectorOf));
  if (flags.policy !== undefined) put(tree, ['policy'], flags.policy);
  if (flags.prefix !== undefined) put(tree, ['kafka', 'prefix'], flags.prefix);
  if (flags.registry !== undefined) put(tree, ['registry', 'url'], flags.registry);
  const parsed = shape.safeParse(tree);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(issue?.path.join('.') ?? '', issue?.message ?? '');
  }
  const connectors = parsed.data.connectors.map((one) => ({ ...one, mapping: resolve(one.mapping) }));
  const policy = parsed.data.policy === undefined ? {} : { policy: resolve(parsed.data.policy) };
  const { file, provider } = parsed.data.flags;
  const flagged = {
    ...(file === undefined ? {} : { file: resolve(file) }),
    ...(provider === undefined ? {} : { provider: resolve(provider) }),
  };
  const settings = { ...parsed.data, ...policy, flags: flagged, connectors, data_dir: resolve(parsed.data.data_dir) };
  if (settings.log === 'kafka') holdKafka(settings);
  else if (!STAGES.every((stage) => settings.stages.includes(stage)))
    throw wrong('stages', 'the embedded log is run by one process, which runs all of them');
  return settings;
}

/** `MAPPING`, or `MAPPING=TOPIC,TOPIC`. */
function connectorOf(text: string): object {
  const [mapping = '', topics] = text.split('=', 2);
  return { mapping, ...(topics === undefined ? {} : { topics: topics.split(',').map((topic) => topic.trim()) }) };
}

function holdKafka({ kafka }: LogSettings): void {
  if (kafka.brokers.length === 0) throw wrong('kafka.brokers', 'expected at least one host:port');
  const { sasl: login, tls: transport } = kafka;
  if ((transport?.cert_file === undefined) !== (transport?.key_file === undefined))
    throw wrong('kafka.tls', 'cert_file and key_file are given together or not at all');
  if (login === undefined) return;
  if (login.mechanism === 'oauthbearer') {
    if (login.token_file === undefined) throw wrong('kafka.sasl.token_file', 'oauthbearer needs it');
  } else if (login.username === undefined || login.password === undefined)
    throw wrong('kafka.sasl', `${login.mechanism} needs username and password`);
}

/** Never shows a value: it may be a secret. */
const wrong = (path: string, message: string): PlumblineError =>
  new PlumblineError('PLB-CLI-SETTING', `the setting \`${path}\` is wrong: ${message}`, {
    hint: 'settings come from flags, then PLUMBLINE_* variables, then the file of --config; `plumbline config` prints them',
  });

function fileTree(file: string | undefined): Tree {
  if (file === undefined || file === '') return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PlumblineError('PLB-CLI-FILE', `can't read the settings in \`${file}\``, {
      hint: 'check --config',
      cause,
    });
  }
  try {
    const tree: unknown = parse(text, { maxAliasCount: 0 });
    if (tree === null) return {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return structuredClone(tree) as Tree;
  } catch (cause) {
    throw new PlumblineError('PLB-CLI-SETTING', `\`${file}\` is not YAML`, { cause, where: { file } });
  }
  throw new PlumblineError('PLB-CLI-SETTING', `\`${file}\` holds no settings`, { where: { file } });
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    const inner: Tree = next !== null && typeof next === 'object' && !Array.isArray(next) ? (next as Tree) : {};
    at[name] = inner;
    at = inner;
  }
  at[path[path.length - 1] ?? ''] = value;
}

function fromText(text: string, kind: 'number' | 'list' | 'boolean' | undefined): unknown {
  if (kind === 'list') return text.split(',').map((part) => part.trim());
  if (kind === 'number') return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

const SECRET = '(set, not shown)';

/** The settings as they are in force, without secrets. */
export function withoutSecrets(settings: LogSettings): LogSettings {
  const { kafka, registry, hubspot, pipedrive } = settings;
  return {
    ...settings,
    ...(hubspot === undefined ? {} : { hubspot: { ...hubspot, secret: SECRET } }),
    ...(pipedrive === undefined ? {} : { pipedrive: { ...pipedrive, password: SECRET } }),
    kafka: kafka.sasl?.password === undefined ? kafka : { ...kafka, sasl: { ...kafka.sasl, password: SECRET } },
    ...(registry?.password === undefined ? {} : { registry: { ...registry, password: SECRET } }),
  };
}

/** @throws PlumblineError PLB-CLI-SETTING; its message has nothing of a URL that may hold a password */
export function registryOptionsOf({ registry }: LogSettings): RegistryOptions | null {
  if (registry === undefined) return null;
  const url = URL.canParse(registry.url) ? new URL(registry.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new PlumblineError('PLB-CLI-SETTING', 'the URL of the schema registry is none of http or https', {
      hint: 'give --registry or PLUMBLINE_REGISTRY_URL, such as http://127.0.0.1:8081',
    });
  if (url.username !== '' || url.password !== '')
    throw new PlumblineError('PLB-CLI-SETTING', 'the URL of the schema registry has credentials in it', {
      hint: 'give them as PLUMBLINE_REGISTRY_USER and PLUMBLINE_REGISTRY_PASSWORD: URLs are printed',
    });
  const { user, password = '' } = registry;
  return {
    url: registry.url,
    timeoutMs: registry.timeout_ms,
    ...(user === undefined ? {} : { credentials: { user, password } }),
  };
}

/** The tasks of the stages that a process runs. */
export const takesOf =
  ({ stages }: LogSettings) =>
  ({ stage }: { readonly stage: string }): boolean =>
    stages.some((one) => one === stage);
