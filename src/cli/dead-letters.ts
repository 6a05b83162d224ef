import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { formatOrigin } from '../ingest/headers.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { type DeadLetter, findDeadLetter, redrive } from '../runtime/dead-letters.ts';
import { type LetterState, lettersWithStates } from '../runtime/letter-states.ts';
import { lineWriter } from './line-writer.ts';
import { withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ListFlags extends SettingsFlags {
  readonly code?: string;
  readonly stage?: string;
  readonly state?: string;
  readonly format: string;
}

/** Bytes of a record that `show` prints. */
const MAX_SHOWN_BYTES = 64 * 1024;

export function deadLettersCommand(program: Command): void {
  const group = program.command('dead-letters').description('what could not be taken or scored');

  withLogFlags(group.command('list').description('all dead letters'))
    .option('--code <code>')
    .addOption(new Option('--stage <stage>').choices(['ingest', 'score']))
    .addOption(new Option('--state <state>').choices(['open', 'redriven', 'superseded', 'final']))
    .addOption(new Option('--format <format>').choices(['table', 'ndjson']).default('table'))
    .action((flags: ListFlags) =>
      withPlace(flags, async ({ log, topics }) => {
        const out = lineWriter(process.stdout);
        for await (const { letter, state } of lettersWithStates(log, topics)) {
          const { code, stage } = letter.reason;
          if ((flags.code && code !== flags.code) || (flags.stage && stage !== flags.stage)) continue;
          if (flags.state && state !== flags.state) continue;
          const line = flags.format === 'ndjson' ? JSON.stringify({ ...describe(letter), state }) : row(letter, state);
          if (!(await out.write(line))) return;
        }
        await out.flush();
      }),
    );

  withLogFlags(group.command('show').description('one dead letter with its record').argument('<id>')).action(
    (id: string, flags: SettingsFlags) =>
      withPlace(flags, async ({ log, topics }) => {
        const letter = await findDeadLetter(log, topics, id);
        const { value } = letter.record;
        const bytes = Buffer.from(value ?? []);
        const shown = bytes.subarray(0, MAX_SHOWN_BYTES).toString('utf8');
        const rest = bytes.length > MAX_SHOWN_BYTES ? `\n… ${bytes.length - MAX_SHOWN_BYTES} bytes more` : '';
        process.stdout.write(
          `${JSON.stringify(describe(letter), null, 2)}\n${value === null ? '(empty record)' : forTerminal(shown)}${rest}\n`,
        );
      }),
  );

  withLogFlags(group.command('redrive').description('try again; however often, it is taken once').argument('[id...]'))
    .option('--all', 'every one that is open, by the filter')
    .option('--code <code>', 'with --all: of this code only')
    .option('--dry-run', 'only say what would be tried again')
    .action((ids: string[], flags: RedriveFlags) =>
      withPlace(flags, async ({ log, topics, wire }) => {
        const { letters, final } = await chosen(log, topics, ids, flags);
        if (flags.dryRun) for (const letter of letters) process.stdout.write(`${row(letter, 'open')}\n`);
        else
          for (let from = 0; from < letters.length; from += BATCH)
            await redrive(log, topics, letters.slice(from, from + BATCH), { by: 'cli', at: Date.now() }, wire);
        const verb = flags.dryRun ? 'would be' : letters.length === 1 ? 'is' : 'are';
        process.stdout.write(`${letters.length} ${verb} tried again\n`);
        if (final > 0)
          process.stderr.write(
            `${plural(final, 'letter')} can't be redriven (PLB-DEAD-LETTER-FINAL): list --state final\n`,
          );
      }),
    );
}

interface RedriveFlags extends SettingsFlags {
  readonly all?: boolean;
  readonly code?: string;
  readonly dryRun?: boolean;
}

/** Letters redriven in one transaction. */
const BATCH = 500;

/** Those that are named, whatever their state; with --all those that are open, so that none is tried again for nothing. */
async function chosen(
  log: Log,
  topics: Topics,
  ids: readonly string[],
  flags: RedriveFlags,
): Promise<{ readonly letters: readonly DeadLetter[]; readonly final: number }> {
  if (flags.all ? ids.length > 0 : ids.length === 0)
    throw new PlumblineError('PLB-CLI-USAGE', 'expected either ids or --all', {
      hint: 'name some from `dead-letters list`, or give --all, with --dry-run first',
    });
  if (flags.code && !flags.all)
    throw new PlumblineError('PLB-CLI-USAGE', '--code goes with --all', { hint: 'leave one of them out' });
  if (!flags.all) {
    const letters: DeadLetter[] = [];
    for (const id of new Set(ids)) letters.push(await findDeadLetter(log, topics, id));
    return { letters, final: 0 };
  }
  const letters: DeadLetter[] = [];
  let final = 0;
  for await (const { letter, state } of lettersWithStates(log, topics)) {
    if (flags.code && letter.reason.code !== flags.code) continue;
    if (state === 'open') letters.push(letter);
    else if (state === 'final') final++;
  }
  return { letters, final };
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

/** The record as it is, but for what would work on a terminal. */
const forTerminal = (text: string): string =>
  process.stdout.isTTY === true ? text.split('\n').map(printable).join('\n') : text;

const row = ({ id, reason }: DeadLetter, state: LetterState): string =>
  `${id.padEnd(8)}  ${state.padEnd(10)}  ${reason.stage.padEnd(6)}  ${reason.code.padEnd(22)}  ${formatOrigin(reason.from).padEnd(24)}  ${printable(reason.message)}`;
