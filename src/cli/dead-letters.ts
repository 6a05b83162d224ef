import { type Command, Option } from 'commander';
import { formatOrigin } from '../ingest/headers.ts';
import type { Log } from '../log/port.ts';
import { type DeadLetter, findDeadLetter, listDeadLetters, redrive } from '../runtime/dead-letters.ts';
import { lineWriter } from './line-writer.ts';
import { openExistingLog, topics } from './open-log.ts';
import { dataDirOf, type SettingsFlags, withDataDir } from './settings.ts';

interface ListFlags extends SettingsFlags {
  readonly code?: string;
  readonly stage?: string;
  readonly format: string;
}

/** Bytes of a record that `show` prints. */
const MAX_SHOWN_BYTES = 64 * 1024;

export function deadLettersCommand(program: Command): void {
  const group = program.command('dead-letters').description('what could not be taken or scored');

  withDataDir(group.command('list').description('all dead letters'))
    .option('--code <code>')
    .addOption(new Option('--stage <stage>').choices(['ingest', 'score']))
    .addOption(new Option('--format <format>').choices(['table', 'ndjson']).default('table'))
    .action((flags: ListFlags) =>
      withLog(flags, async (log) => {
        const out = lineWriter(process.stdout);
        for await (const letter of listDeadLetters(log, topics)) {
          if ((flags.code && letter.reason.code !== flags.code) || (flags.stage && letter.reason.stage !== flags.stage))
            continue;
          if (!(await out.write(flags.format === 'ndjson' ? JSON.stringify(describe(letter)) : row(letter)))) return;
        }
        await out.flush();
      }),
    );

  withDataDir(group.command('show').description('one dead letter with its record').argument('<id>')).action(
    (id: string, flags: SettingsFlags) =>
      withLog(flags, async (log) => {
        const letter = await findDeadLetter(log, topics, id);
        const { value } = letter.record;
        const bytes = Buffer.from(value ?? []);
        const shown = bytes.subarray(0, MAX_SHOWN_BYTES).toString('utf8');
        const rest = bytes.length > MAX_SHOWN_BYTES ? `\n… ${bytes.length - MAX_SHOWN_BYTES} bytes more` : '';
        process.stdout.write(
          `${JSON.stringify(describe(letter), null, 2)}\n${value === null ? '(empty record)' : shown}${rest}\n`,
        );
      }),
  );

  withDataDir(group.command('redrive').description('try again; however often, it is taken once').argument('[id...]'))
    .option('--all', 'every dead letter, by the filters')
    .option('--code <code>')
    .option('--dry-run', 'only say what would be tried again')
    .action((ids: string[], flags: ListFlags & { all?: boolean; dryRun?: boolean }) =>
      withLog(flags, async (log) => {
        const letters: DeadLetter[] = [];
        for (const id of ids) letters.push(await findDeadLetter(log, topics, id));
        if (flags.all)
          for await (const letter of listDeadLetters(log, topics))
            if (!flags.code || letter.reason.code === flags.code) letters.push(letter);
        for (const letter of letters) {
          if (flags.dryRun) process.stdout.write(`${row(letter)}\n`);
          else await redrive(log, topics, letter, { by: 'cli', at: Date.now() });
        }
        process.stdout.write(`${letters.length} ${flags.dryRun ? 'would be' : 'are'} tried again\n`);
      }),
    );
}

async function withLog(flags: SettingsFlags, work: (log: Log) => Promise<void>): Promise<void> {
  const log = openExistingLog(dataDirOf(flags, process.env));
  try {
    await work(log);
  } finally {
    await log.close();
  }
}

function describe({ id, record, reason }: DeadLetter) {
  return {
    id,
    at: new Date(record.timestampMs).toISOString(),
    key: record.key,
    stage: reason.stage,
    code: reason.code,
    message: reason.message,
    from: formatOrigin(reason.from),
    ...(reason.failed ? { failed: reason.failed } : {}),
  };
}

const row = ({ id, reason }: DeadLetter): string =>
  `${id.padEnd(8)}  ${reason.stage.padEnd(6)}  ${reason.code.padEnd(22)}  ${formatOrigin(reason.from).padEnd(24)}  ${reason.message}`;
