import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { changeRecord, closeImportRecords } from '../../producers/changes.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import { type ErrorWhere, formatError, PlumblineError } from '../errors.ts';
import type { Change, Intake } from '../ingest/change.ts';
import { refuseFuture } from '../ingest/step.ts';
import type { NewRecord } from '../log/port.ts';
import { changeLines } from './change-lines.ts';
import { EXIT } from './exit-codes.ts';
import { feedEvents } from './feed-events.ts';
import { withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { progress } from './progress.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface IngestFlags extends SettingsFlags {
  readonly open?: boolean;
  readonly importId?: string;
  readonly live?: boolean;
  readonly as?: string;
}

/** Changes appended in one transaction. */
const BATCH = 500;

export function ingestCommand(program: Command): void {
  withLogFlags(
    program
      .command('ingest')
      .description('append changes to the log as an import: each at its own `changed_at`')
      .argument('<changes>', 'NDJSON of canonical changes; - reads stdin')
      .option(
        '--open',
        'more of this import follows: keep its due times from the wall clock until one without --open closes it',
      )
      .option('--import-id <id>', 'name of the import; the same for all parts of one')
      .option('--live', 'take the changes as happening now, not as history')
      .option('--as <format>', "a CRM's own events, a record a line, for its connector (docs/connectors.md)"),
  ).action(async (file: string, flags: IngestFlags) => {
    if (flags.as !== undefined) return feedEvents(file, flags.as, flags);
    const contracts = loadContracts();
    const importId = flags.importId ?? `import-${randomUUID()}`;
    const shown = progress(process.stderr, 'changes');
    let batch: NewRecord[] = [];
    let appended = 0;
    let refused = 0;
    await withPlace(
      flags,
      async ({ log, topics, wire }) => {
        const flush = async (): Promise<void> => {
          await log.append(batch);
          appended += batch.length;
          batch = [];
        };
        try {
          for await (const { change, text, error, line } of changeLines(file, contracts)) {
            const intake: Intake = flags.live ? { kind: 'live', atMs: Date.now() } : { kind: 'import', importId };
            const refusal = error ?? futureOf(change, intake, { file, line });
            if (refusal || !change) {
              refused++;
              process.stderr.write(`${formatError(refusal)}\n`);
              continue;
            }
            batch.push(changeRecord(topics, change, text, intake, wire));
            shown.step();
            if (batch.length === BATCH) await flush();
          }
          await flush();
          if (!flags.live && !flags.open)
            await log.append(closeImportRecords(topics, (topic) => log.partitionsOf(topic), importId, wire));
        } finally {
          shown.end();
        }
      },
      { isMade: true },
    );
    process.stdout.write(
      `${plural(appended, 'change is', 'changes are')} on the log${refused > 0 ? `, ${plural(refused, 'was', 'were')} refused` : ''}\n`,
    );
    if (refused > 0) process.exitCode = EXIT.refused;
  });
}

/** Refused here as at the door of HTTP: as a dead letter nobody who sends it would see it. */
function futureOf(change: Change, intake: Intake, where: ErrorWhere): PlumblineError | null {
  try {
    refuseFuture({ change, intake });
    return null;
  } catch (error) {
    if (!(error instanceof PlumblineError)) throw error;
    return new PlumblineError(error.code, error.message, { where, ...(error.hint ? { hint: error.hint } : {}) });
  }
}
