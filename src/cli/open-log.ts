import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadContracts } from '../../schemas/contracts.ts';
import { connectRegistry } from '../../schemas/registry.ts';
import { PlumblineError } from '../errors.ts';
import { openEmbeddedLog } from '../log/embedded/open.ts';
import { writeTurn } from '../log/embedded/turn.ts';
import type { OnRestore } from '../log/kafka/restore.ts';
import type { Log } from '../log/port.ts';
import { stateTopicOf, type Topics, topicLayouts, topicNames, topicSpecs } from '../log/topics.ts';
import { connectWire } from '../wire/connect.ts';
import { jsonView } from '../wire/json-view.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import {
  kafkaSettingsOf,
  type LogFlags,
  type LogSettings,
  readLogSettings,
  registryOptionsOf,
} from './log-settings.ts';

/** The topics of the embedded log. */
export const topics = topicNames();

/** Opens the embedded log, making it where it is not there yet. */
export function openLog(
  dataDir: string,
  shared: { readonly turn?: SharedArrayBuffer; readonly onAppend?: () => void } = {},
): Log {
  const { turn, onAppend } = shared;
  return openEmbeddedLog({
    directory: dataDir,
    topics: topicSpecs(topics),
    clock: Date.now,
    ...(onAppend ? { onAppend } : {}),
    ...(turn ? { turn: writeTurn(turn) } : {}),
  });
}

/** Opens an embedded log that must be there. @throws PlumblineError PLB-CLI-NO-LOG */
export function openExistingLog(dataDir: string): Log {
  if (!existsSync(join(dataDir, 'log.sqlite')))
    throw new PlumblineError('PLB-CLI-NO-LOG', `there is no log in \`${dataDir}\``, {
      hint: 'start with `npm start`, `plumbline run` or `plumbline ingest`, or name another directory with --data-dir',
    });
  return openLog(dataDir);
}

/** A log with the names of its topics. */
export interface Place {
  readonly log: Log;
  readonly topics: Topics;
  readonly wire: Wire;
}

/** What every topic of this installation must be on the cluster. */
export const layoutsOf = ({ kafka }: LogSettings) =>
  topicLayouts(topicNames(kafka.prefix), { partitions: kafka.partitions, replication: kafka.replication });

/** @throws PlumblineError PLB-LOG-LAYOUT where the cluster's topics are not as they must be, PLB-LOG-* */
export async function openKafkaPlace(
  settings: LogSettings,
  hooks: { readonly onAppend?: () => void; readonly onRestore?: OnRestore } = {},
): Promise<Place> {
  // Only here: no other command has to wait until the client of Kafka is loaded.
  const [{ openKafkaLog }, { layoutProblems }] = await Promise.all([
    import('../log/kafka/open.ts'),
    import('../log/kafka/topics.ts'),
  ]);
  const { prefix } = settings.kafka;
  const names = topicNames(prefix);
  const client = kafkaSettingsOf(settings);
  const layouts = layoutsOf(settings);
  const [problem] = (await layoutProblems(client, layouts)).filter(({ isFatal }) => isFatal);
  if (problem !== undefined)
    throw new PlumblineError('PLB-LOG-LAYOUT', problem.message, {
      where: { topic: problem.topic },
      hint: '`plumbline topics check` lists every difference, `plumbline topics create` makes what is missing',
    });
  const log = await openKafkaLog({
    settings: client,
    topics: layouts.map(({ name }) => name),
    prefix,
    directory: join(settings.data_dir, `kafka${prefix === '' ? '' : `-${prefix}`}`),
    stateTopicOf: (input) => stateTopicOf(names, input),
    ...hooks,
  });
  const registry = registryOptionsOf(settings);
  if (registry === null) return { log, topics: names, wire: jsonWire };
  try {
    return { log, topics: names, wire: await connectWire(connectRegistry(registry), names, loadContracts()) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** @param isMade whether an embedded log is made where there is none */
async function openPlace(settings: LogSettings, isMade: boolean): Promise<Place> {
  if (settings.log === 'kafka') return openKafkaPlace(settings);
  return { log: isMade ? openLog(settings.data_dir) : openExistingLog(settings.data_dir), topics, wire: jsonWire };
}

/** Runs a command's work on the log that its settings name; what it reads there is JSON on every wire. */
export async function withPlace<T>(
  flags: LogFlags,
  work: (place: Place) => Promise<T>,
  { isMade = false }: { readonly isMade?: boolean } = {},
): Promise<T> {
  const place = await openPlace(readLogSettings(flags, process.env), isMade);
  try {
    return await work({ ...place, log: jsonView(place.log, place.topics, place.wire) });
  } finally {
    await place.log.close();
  }
}
