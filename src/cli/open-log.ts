import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadContracts } from '../../schemas/contracts.ts';
import { connectRegistry } from '../../schemas/registry.ts';
import { PlumblineError } from '../errors.ts';
import { openEmbeddedLog } from '../log/embedded/open.ts';
import { writeTurn } from '../log/embedded/turn.ts';
import type { OnRestore } from '../log/kafka/restore.ts';
import type { Log } from '../log/port.ts';
import { stateTopicOf, type TopicLayout, type Topics, topicLayouts, topicNames, topicSpecs } from '../log/topics.ts';
import { connectWire } from '../wire/connect.ts';
import { jsonView } from '../wire/json-view.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import { readSources } from './connectors.ts';
import { kafkaSettingsOf } from './kafka-settings.ts';
import { type LogFlags, type LogSettings, readLogSettings, registryOptionsOf } from './log-settings.ts';

/** The topics of the embedded log, without a CRM's own. */
export const topics = topicNames();

/** Names of this installation's topics. @throws PlumblineError PLB-CLI-MAPPING, PLB-CLI-FILE */
export const topicsOf = (settings: LogSettings): Topics =>
  topicNames(
    settings.log === 'kafka' ? settings.kafka.prefix : '',
    readSources(settings).map(({ topic }) => topic),
  );

/** Opens the embedded log, making it where it is not there yet. */
export function openLog(
  dataDir: string,
  names: Topics = topics,
  shared: { readonly turn?: SharedArrayBuffer; readonly onAppend?: () => void } = {},
): Log {
  const { turn, onAppend } = shared;
  return openEmbeddedLog({
    directory: dataDir,
    topics: topicSpecs(names),
    clock: Date.now,
    ...(onAppend ? { onAppend } : {}),
    ...(turn ? { turn: writeTurn(turn) } : {}),
  });
}

/** Opens an embedded log that must be there. @throws PlumblineError PLB-CLI-NO-LOG */
export function openExistingLog(dataDir: string, names: Topics = topics): Log {
  if (!existsSync(join(dataDir, 'log.sqlite')))
    throw new PlumblineError('PLB-CLI-NO-LOG', `there is no log in \`${dataDir}\``, {
      hint: 'start with `npm start`, `plumbline run` or `plumbline ingest`, or name another directory with --data-dir',
    });
  return openLog(dataDir, names);
}

/** A log with the names of its topics. */
export interface Place {
  readonly log: Log;
  readonly topics: Topics;
  readonly wire: Wire;
}

/** What every topic of this installation must be on the cluster. */
export async function layoutsOf(settings: LogSettings): Promise<readonly TopicLayout[]> {
  const { partitions, replication } = settings.kafka;
  const others = readSources(settings).flatMap(({ topic, isOwn }) => (isOwn ? [] : [topic]));
  const { partitionCounts } = await import('../log/kafka/topics.ts');
  const foreign = others.length === 0 ? new Map() : await partitionCounts(kafkaSettingsOf(settings), others);
  return topicLayouts(topicsOf(settings), { partitions, replication, foreign });
}

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
  const names = topicsOf(settings);
  const client = kafkaSettingsOf(settings);
  const layouts = await layoutsOf(settings);
  const [problem] = (await layoutProblems(client, layouts)).filter(({ isFatal }) => isFatal);
  if (problem !== undefined)
    throw new PlumblineError('PLB-LOG-LAYOUT', problem.message, {
      where: { topic: problem.topic },
      hint: '`plumbline topics check` lists every difference, `plumbline topics create` makes what is missing',
    });
  const log = await openKafkaLog({
    settings: client,
    topics: [...new Set([...layouts.map(({ name }) => name), ...names.sources])],
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
  const names = topicsOf(settings);
  const log = isMade ? openLog(settings.data_dir, names) : openExistingLog(settings.data_dir, names);
  return { log, topics: names, wire: jsonWire };
}

/** Runs a command's work on the log that its settings name; what it reads there is JSON on every wire. */
export const withPlace = <T>(
  flags: LogFlags,
  work: (place: Place) => Promise<T>,
  made: { readonly isMade?: boolean } = {},
): Promise<T> =>
  withRawPlace(flags, (place) => work({ ...place, log: jsonView(place.log, place.topics, place.wire) }), made);

/** As withPlace, with the records as they lie on the log. */
export async function withRawPlace<T>(
  flags: LogFlags,
  work: (place: Place) => Promise<T>,
  { isMade = false }: { readonly isMade?: boolean } = {},
): Promise<T> {
  const place = await openPlace(readLogSettings(flags, process.env), isMade);
  try {
    return await work(place);
  } finally {
    await place.log.close();
  }
}
