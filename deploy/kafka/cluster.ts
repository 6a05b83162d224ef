import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { untilCoordinatorsAnswer } from '../../src/log/kafka/coordinators.ts';
import { brokerSettings } from './broker-settings.ts';
import { freePorts } from './free-ports.ts';
import { fetchPackages, type Packages } from './packages.ts';

export interface ClusterOptions {
  readonly brokers: number;
  /** Data, configuration and logs of the brokers; made where it is not there. */
  readonly directory: string;
  /** First broker's port, the next ones count up; 0 takes free ones. */
  readonly port: number;
  /** null: no registry; 0 takes a free port. */
  readonly registryPort: number | null;
  /** One a broker: ports of what stands between clients and brokers, such as a proxy. */
  readonly frontPorts?: readonly number[];
  /** What the first broker listens on beside; the plain port stays for the brokers themselves and who runs them. */
  readonly beside?: Beside;
  readonly tell: (text: string) => void;
}

export interface Beside {
  readonly listeners: readonly {
    /** In capitals. */
    readonly name: string;
    readonly port: number;
    readonly protocol: 'SSL' | 'SASL_SSL';
  }[];
  readonly settings: { readonly [name: string]: string };
  /** As `kafka-storage format --add-scram` takes them. */
  readonly scramUsers: readonly string[];
}

/** Brokers of one KRaft cluster, and a schema registry that keeps its schemas in memory. */
export interface Cluster {
  /** Host and port of each broker. */
  readonly brokers: readonly string[];
  /** Where what stands at the front ports leads to: whoever comes in there is told the front ports only. */
  readonly behind: readonly string[];
  /** Confluent's API; null without a registry. */
  readonly registryUrl: string | null;
  /** Sends a signal to one broker's process: SIGKILL, SIGSTOP, SIGCONT. */
  signal(broker: number, signal: NodeJS.Signals): void;
  /** Starts a broker again that was killed. */
  restart(broker: number): Promise<void>;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;

/** @returns when clients can use it: its coordinators of groups and of transactions answer */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { directory, tell } = options;
  const packages = await fetchPackages(tell);
  mkdirSync(directory, { recursive: true });
  const nodes = await planNodes(options);
  format(packages, nodes, directory, options.beside);
  const children = new Map<number, ChildProcess>();
  const start = (node: Node): void => {
    const child = startJava(join(directory, `broker-${node.id}.log`), [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${fileURLToPath(new URL('log4j2.properties', import.meta.url))}`,
      '-cp',
      packages.kafka,
      'kafka.Kafka',
      node.config,
    ]);
    children.set(node.id, child);
  };
  const nodeOf = (broker: number): Node => {
    const node = nodes[broker];
    if (node === undefined) throw new Error(`there is no broker ${broker}`);
    return node;
  };
  let registry: { readonly child: ChildProcess; readonly url: string } | null = null;
  const stop = async (): Promise<void> => {
    const all = [...children.values(), ...(registry ? [registry.child] : [])];
    await Promise.all(all.map(end));
  };
  try {
    tell(`starting ${nodes.length === 1 ? 'a broker' : `${nodes.length} brokers`}`);
    for (const node of nodes) start(node);
    const brokers = nodes.map((node) => at(node.port));
    if (options.registryPort !== null) registry = await startRegistry(packages, options, options.registryPort);
    await untilCoordinatorsAnswer(brokers, READY_TIMEOUT_MS, () => {
      const gone = nodes.find((node) => children.get(node.id)?.exitCode !== null);
      if (gone !== undefined)
        throw new Error(`broker ${gone.id} ended:\n${tail(join(directory, `broker-${gone.id}.log`))}`);
    });
    return {
      brokers,
      behind: nodes.flatMap(({ front }) => (front === null ? [] : [at(front.port)])),
      registryUrl: registry?.url ?? null,
      signal(broker, signal) {
        children.get(nodeOf(broker).id)?.kill(signal);
      },
      async restart(broker) {
        const node = nodeOf(broker);
        const before = children.get(node.id);
        if (before !== undefined) await end(before);
        start(node);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Node {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  /** The listener behind the front port. */
  readonly front: { readonly port: number; readonly told: number } | null;
  readonly config: string;
}

const at = (port: number): string => `127.0.0.1:${port}`;

async function planNodes({ brokers, directory, port, frontPorts = [] }: ClusterOptions): Promise<readonly Node[]> {
  const free = (await freePorts(brokers * 3)).values();
  const take = (): number => free.next().value ?? 0;
  return Array.from({ length: brokers }, (_, index) => {
    const told = frontPorts[index];
    return {
      id: index + 1,
      port: port === 0 ? take() : port + index,
      controllerPort: take(),
      front: told === undefined ? null : { port: take(), told },
      config: join(directory, `broker-${index + 1}.properties`),
    };
  });
}

const NOTHING_BESIDE: Beside = { listeners: [], settings: {}, scramUsers: [] };

function format(packages: Packages, nodes: readonly Node[], directory: string, asked = NOTHING_BESIDE): void {
  const cluster = join(directory, 'cluster-id');
  let id: string;
  try {
    id = readFileSync(cluster, 'utf8');
  } catch {
    const bytes = randomBytes(16);
    // The id is an argument: none that begins with a dash.
    bytes[0] = (bytes[0] ?? 0) & 0x7f;
    id = bytes.toString('base64url');
    writeFileSync(cluster, id);
  }
  const replication = Math.min(3, nodes.length);
  const voters = nodes.map((node) => `${node.id}@${at(node.controllerPort)}`).join(',');
  for (const node of nodes) {
    const listener = `PLAINTEXT://${at(node.port)}`;
    const front = node.front;
    const beside = node === nodes[0] ? asked : NOTHING_BESIDE;
    const more = beside.listeners.map(({ name, port }) => `${name}://${at(port)}`);
    const protocols = beside.listeners.map(({ name, protocol }) => `,${name}:${protocol}`).join('');
    const settings = {
      'process.roles': 'broker,controller',
      'node.id': node.id,
      'controller.quorum.voters': voters,
      listeners: [
        listener,
        `CONTROLLER://${at(node.controllerPort)}`,
        ...(front ? [`FRONT://${at(front.port)}`] : []),
        ...more,
      ],
      'advertised.listeners': [listener, ...(front ? [`FRONT://${at(front.told)}`] : []), ...more],
      'inter.broker.listener.name': 'PLAINTEXT',
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT${protocols}`,
      'log.dirs': join(directory, `broker-${node.id}`),
      ...brokerSettings(replication),
      'broker.session.timeout.ms': 9_000,
      ...beside.settings,
    };
    const text = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(node.config, `${text.join('\n')}\n`);
    const args = ['-Xmx128m', '-cp', packages.kafka, 'kafka.tools.StorageTool', 'format', '--ignore-formatted'];
    const users = beside.scramUsers.flatMap((user) => ['--add-scram', user]);
    const { status, stderr } = spawnSync('java', [...args, '-t', id, '-c', node.config, ...users]);
    if (status !== 0) throw new Error(`broker ${node.id} can't be set up:\n${stderr?.toString().slice(-2_000)}`);
  }
}

async function startRegistry(packages: Packages, options: ClusterOptions, asked: number) {
  const port = asked === 0 ? ((await freePorts(1))[0] ?? 0) : asked;
  const log = join(options.directory, 'registry.log');
  const child = startJava(log, [
    '-Xmx512m',
    '-XX:TieredStopAtLevel=1',
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.http.host=127.0.0.1',
    '-jar',
    packages.registry,
  ]);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(`${url}/subjects`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child);
      throw new Error(`the schema registry did not come up:\n${tail(log)}`);
    }
    await sleep(200);
  }
  return { child, url };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );

function startJava(log: string, args: readonly string[]): ChildProcess {
  const file = openSync(log, 'a');
  return spawn('java', args, { stdio: ['ignore', file, file] });
}

/** Asks it to end, and makes it where it doesn't. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');
  } catch {
    return '(no log)';
  }
}
