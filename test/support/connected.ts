import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConnectors } from '../../src/cli/connectors.ts';
import { readLogSettings } from '../../src/cli/log-settings.ts';
import { openLog, topicsOf } from '../../src/cli/open-log.ts';
import type { Log } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import { activateSets } from '../../src/runtime/activate-sets.ts';
import { followControl } from '../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../src/runtime/lag.ts';
import type { Worker } from '../../src/runtime/worker.ts';
import { plumbline, type Ran, until } from './cli.ts';
import { compile, shippedSets, workOn } from './test-worker.ts';

/** A worker with one connector on an embedded log, as `plumbline run --connect` has it. */
export interface Connected {
  readonly log: Log;
  readonly topics: Topics;
  readonly worker: Worker;
  /** Takes values of the connector's topic, one a record, and waits until they are answered. */
  take(...values: readonly unknown[]): Promise<void>;
  settled(): Promise<void>;
  /** Writes a file and takes it with `plumbline sync`; waits until it is answered. */
  sync(name: string, content: string, args?: readonly string[]): Promise<Ran>;
  stop(): Promise<void>;
}

export async function connected(directory: string, mapping: string): Promise<Connected> {
  const settings = readLogSettings({ dataDir: directory, connect: [mapping] }, {});
  const topics = topicsOf(settings);
  const log = openLog(directory, topics);
  const control = await followControl(log, topics, compile);
  await activateSets(log, topics, control, shippedSets(), { at: 0, by: 'test' });
  const worker = await workOn(log, topics, { connectors: loadConnectors(settings) });
  const settled = () => until('everything is answered', async () => totalLag(await lagOf(log, topics)) === 0);
  return {
    log,
    topics,
    worker,
    settled,
    async take(...values) {
      const [topic = ''] = topics.sources;
      const bytes = (value: unknown) => (value === null ? null : Buffer.from(JSON.stringify(value)));
      await log.append(values.map((value) => ({ topic, partition: 0, key: null, value: bytes(value), headers: {} })));
      await settled();
    },
    async sync(name, content, args = []) {
      const file = join(directory, name.replace(/^\w+=/, ''));
      writeFileSync(file, content);
      const named = name.includes('=') ? `${name.split('=', 1)[0]}=${file}` : file;
      const ran = await plumbline(['sync', '--data-dir', directory, '--mapping', mapping, ...args, named], {
        env: { PLUMBLINE_CONNECT: mapping },
      });
      await settled();
      return ran;
    },
    async stop() {
      await worker.stop(10_000);
      await log.close();
    },
  };
}
