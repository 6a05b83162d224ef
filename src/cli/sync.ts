import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { changeRecord, closeImportRecords, ofAllRecords } from '../../producers/changes.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import { formatError, PlumblineError } from '../errors.ts';
import type { Intake } from '../ingest/change.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import { isNewer } from '../ingest/version.ts';
import { type EntityKind, parseInstant } from '../language/contract.ts';
import type { NewRecord } from '../log/port.ts';
import { requireMapping } from './connectors.ts';
import { EXIT } from './exit-codes.ts';
import { withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { progress } from './progress.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';
import { newestIn, readExports, readFiles } from './sync-files.ts';

interface SyncFlags extends SettingsFlags {
  readonly mapping: string;
  readonly exportedAt?: string;
  readonly prune?: boolean;
}

/** Changes appended in one transaction. */
const BATCH = 500;
/** Rows that can't be taken and are told. */
const MAX_TOLD = 20;

export function syncCommand(program: Command): void {
  withLogFlags(
    program
      .command('sync')
      .description('take a full export of a CRM beside the running stream: at first, and after a gap')
      .requiredOption('--mapping <file>', "the mapping of the CRM's events")
      .option('--exported-at <instant>', 'when the export was begun (default: the newest change in it)')
      .option('--prune', 'what is known and not in the export is gone; for full exports only')
      .argument(
        '<file...>',
        'OBJECT=FILE, such as Opportunity=opps.csv (CSV or NDJSON); of Debezium files with its events',
      ),
  ).action(async (given: string[], flags: SyncFlags) => {
    const contracts = loadContracts();
    const mapping = requireMapping(flags.mapping, contracts);
    const files = readFiles(mapping, given);
    const exportedAt =
      instantOf(flags.exportedAt) ?? (await newestIn(mapping, files, (path) => createReadStream(path)));
    const intake: Intake = { kind: 'import', importId: `sync-${randomUUID()}` };
    const shown = progress(process.stderr, 'rows');
    const complete = new Map<EntityKind, string>();
    let taken = 0;
    let refused = 0;

    function refuse(error: PlumblineError): void {
      if (++refused <= MAX_TOLD) process.stderr.write(`${formatError(error)}\n`);
    }

    await withPlace(
      flags,
      async ({ log, topics, wire }) => {
        let batch: NewRecord[] = [];
        const flush = async (): Promise<void> => {
          await log.append(batch);
          batch = [];
        };
        try {
          const rows = readExports(mapping, files, exportedAt, contracts, (path) => createReadStream(path));
          for await (const row of rows) {
            shown.step();
            if (row instanceof PlumblineError) {
              refuse(row);
              continue;
            }
            const { change } = row;
            batch.push(changeRecord(topics, change, encodeChange(change, contracts), intake, wire));
            taken++;
            const whole = change.op === 'upsert' ? change.wholeAsOf : undefined;
            const least = complete.get(change.entity);
            if (whole !== undefined && (least === undefined || isNewer(least, whole)))
              complete.set(change.entity, whole);
            if (batch.length >= BATCH) await flush();
          }
          const prune = flags.prune === true && refused === 0;
          for (const [entity, version] of complete) {
            const said = { op: 'complete', eventId: intake.importId, version, changedAt: exportedAt } as const;
            const ofAll = { ...said, idPrefix: mapping.idPrefix, prune };
            batch.push(...ofAllRecords(topics, (topic) => log.partitionsOf(topic), entity, ofAll, intake));
          }
          batch.push(...closeImportRecords(topics, (topic) => log.partitionsOf(topic), intake.importId, wire));
          await flush();
        } finally {
          shown.end();
        }
      },
      { isMade: true },
    );
    process.stdout.write(
      `${plural(taken, 'row is', 'rows are')} on the log${refused > 0 ? `, ${plural(refused, 'was', 'were')} refused` : ''}\n`,
    );
    if (refused === 0) return;
    if (flags.prune)
      process.stderr.write('nothing was pruned: a row that was refused would have been taken for gone\n');
    process.exitCode = EXIT.refused;
  });
}

function instantOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  throw new PlumblineError('PLB-CLI-USAGE', `--exported-at is \`${text.slice(0, 40)}\``, {
    hint: 'expected an instant such as 2026-03-01T00:00:00Z',
  });
}
