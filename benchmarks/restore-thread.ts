import { parentPort, workerData } from 'node:worker_threads';
import type { LogSettings } from '../src/cli/log-settings.ts';
import { openKafkaPlace } from '../src/cli/open-log.ts';

// One thread of a worker that starts: opens its share of the scoring tasks, and tells when it holds them.
const { settings, index, of } = workerData as { settings: LogSettings; index: number; of: number };
const { log, topics } = await openKafkaPlace(settings);
const inputs = Array.from({ length: log.partitionsOf(topics.images) }, (_, partition) => partition)
  .filter((partition) => partition % of === index)
  .map((partition) => ({ stage: 'score', topic: topics.images, partition }));
const sessions = await Promise.all(inputs.map((input) => log.openTask(input)));
parentPort?.postMessage(process.memoryUsage.rss());
await Promise.all(sessions.map((session) => session.close()));
await log.close();
