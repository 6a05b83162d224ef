import { createReadStream } from 'node:fs';
import { linesOf } from '../connectors/export/export-rows.ts';
import { FORMATS } from '../connectors/mapping/event-mapping-shape.ts';
import { PlumblineError } from '../errors.ts';
import type { NewRecord } from '../log/port.ts';
import { readSources } from './connectors.ts';
import { readLogSettings } from './log-settings.ts';
import { withRawPlace } from './open-log.ts';
import { plural } from './plural.ts';
import type { SettingsFlags } from './settings.ts';

const NULL = Buffer.from('null');
/** Records appended in one transaction. */
const BATCH = 500;

/**
 * Appends a CRM's own events, a record a line, to the topic of its connector: as a connector would, without the CRM.
 * @throws PlumblineError PLB-CLI-USAGE where no connector takes them
 */
export async function feedEvents(file: string, format: string, flags: SettingsFlags): Promise<void> {
  const source = readSources(readLogSettings(flags, process.env)).find(({ mapping }) => mapping.format === format);
  if (source === undefined)
    throw new PlumblineError('PLB-CLI-USAGE', `no connector takes events of \`${format.slice(0, 40)}\``, {
      hint: `one of ${FORMATS.join(', ')}, with its mapping: --connect mappings/${FORMATS[0]}.yaml`,
    });
  let appended = 0;
  await withRawPlace(
    flags,
    async ({ log }) => {
      const { topic } = source;
      const partitions = log.partitionsOf(topic);
      let batch: NewRecord[] = [];
      const flush = async (): Promise<void> => {
        await log.append(batch);
        appended += batch.length;
        batch = [];
      };
      for await (const { bytes } of linesOf(file, file === '-' ? process.stdin : createReadStream(file))) {
        // A tombstone has no value.
        const value = NULL.equals(bytes) ? null : bytes;
        batch.push({ topic, partition: (appended + batch.length) % partitions, key: null, value, headers: {} });
        if (batch.length === BATCH) await flush();
      }
      if (batch.length > 0) await flush();
    },
    { isMade: true },
  );
  process.stdout.write(`${plural(appended, 'record is', 'records are')} on \`${source.topic}\`\n`);
}
