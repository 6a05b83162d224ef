import { type Command, Option } from 'commander';
import { LETTER_STAGES } from '../../producers/dead-letters.ts';
import { PlumblineError } from '../errors.ts';
import { formatOrigin } from '../ingest/headers.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { type DeadLetter, findDeadLetter, redrive } from '../runtime/dead-letters.ts';
import { LETTER_OPTIONS, type LetterOptions, matchesLetter, readLetterFilter } from '../runtime/letter-filter.ts';
import { type LetterState, type LetterWithState, lettersWithStates } from '../runtime/letter-states.ts';
import { whoAmI } from './ask-controller.ts';
import { audit } from './audit.ts';
import { lineWriter } from './line-writer.ts';
import { withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface FilterFlags extends SettingsFlags, LetterOptions {}

interface ListFlags extends FilterFlags {
  readonly state?: string;
  readonly format: string;
}

/** Bytes of a record that `show` prints. */
const MAX_SHOWN_BYTES = 64 * 1024;

export function deadLettersCommand(program: Command): void {
  const group = program.command('dead-letters').description('what could not be taken or scored');

  withFilter(withLogFlags(group.command('list').description('all dead letters')))
    .addOption(new Option('--state <state>').choices(['open', 'redriven', 'superseded', 'final']))
    .addOption(new Option('--format <format>').choices(['table', 'ndjson']).default('table'))
    .action((flags: ListFlags) =>
      withPlace(flags, async ({ log, topics }) => {
        const accepts = matchesLetter(readLetterFilter(flags));
        const out = lineWriter(process.stdout);
        for await (const { letter, state } of lettersWithStates(log, topics)) {
          if (!accepts(letter) || (flags.state && state !== flags.state)) continue;
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

  withFilter(
    withLogFlags(group.command('redrive').description('try again; however often, it is taken once').argument('[id...]'))
      .option('--all', 'every one that is open, by the filter')
      .option('--dry-run', 'only say what would be tried again'),
  ).action((ids: string[], flags: RedriveFlags) =>
    withPlace(flags, async ({ log, topics, wire }) => {
      const dryRun = flags.dryRun ?? false;
      let count = 0;
      const { final } = await inBatches(chosen(log, topics, ids, flags), async (letters) => {
        count += letters.length;
        if (dryRun) for (const letter of letters) process.stdout.write(`${row(letter, 'open')}\n`);
        else await redrive(log, topics, letters, { by: whoAmI(), at: Date.now() }, wire);
      });
      if (!dryRun && count > 0)
        await audit({ log, topics, wire }, 'redrive', `${plural(count, 'dead letter')} tried again`);
      process.stdout.write(`${count} ${dryRun ? 'would be' : count === 1 ? 'is' : 'are'} tried again\n`);
      if (final > 0)
        process.stderr.write(
          `${plural(final, 'letter')} can't be redriven (PLB-DEAD-LETTER-FINAL): list --state final\n`,
        );
    }),
  );
}

const withFilter = (command: Command): Command =>
  command
    .option('--code <code>')
    .addOption(new Option('--stage <stage>').choices([...LETTER_STAGES]))
    .option('--topic <topic>', 'where the record came from')
    .option('--set <name>', 'whose answer is missing')
    .option('--key <key>', 'the record’s key, or the id of the entity that was not scored')
    .option('--since <instant>', 'became a dead letter at or after')
    .option('--until <instant>', 'became a dead letter before');

interface RedriveFlags extends FilterFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

/** Letters redriven in one transaction, and the bytes that are enough for one: with a record more it still fits a topic. */
const BATCH = { letters: 500, bytes: 3 * 1024 * 1024 };

/** Those that are named, whatever their state; with --all those that are open, so that none is tried again for nothing. */
async function* chosen(
  log: Log,
  topics: Topics,
  ids: readonly string[],
  flags: RedriveFlags,
): AsyncGenerator<LetterWithState> {
  if (flags.all ? ids.length > 0 : ids.length === 0)
    throw new PlumblineError('PLB-CLI-USAGE', 'expected either ids or --all', {
      hint: 'name some from `dead-letters list`, or give --all, with --dry-run first',
    });
  const filter = LETTER_OPTIONS.find((name) => flags[name] !== undefined);
  if (filter !== undefined && !flags.all)
    throw new PlumblineError('PLB-CLI-USAGE', `--${filter} goes with --all`, { hint: 'leave one of them out' });
  const accepts = matchesLetter(readLetterFilter(flags));
  if (flags.all) {
    for await (const one of lettersWithStates(log, topics)) if (accepts(one.letter)) yield one;
    return;
  }
  // All are looked up first: a wrong id leaves nothing half done.
  for (const letter of await Promise.all([...new Set(ids)].map((id) => findDeadLetter(log, topics, id))))
    yield { letter, state: 'open' };
}

/** @returns how many can't be redriven */
async function inBatches(
  letters: AsyncIterable<LetterWithState>,
  take: (batch: readonly DeadLetter[]) => Promise<void>,
): Promise<{ readonly final: number }> {
  let batch: DeadLetter[] = [];
  let bytes = 0;
  let final = 0;
  for await (const { letter, state } of letters) {
    if (state === 'final') final++;
    if (state !== 'open') continue;
    batch.push(letter);
    bytes += letter.record.value?.length ?? 0;
    if (batch.length < BATCH.letters && bytes < BATCH.bytes) continue;
    await take(batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) await take(batch);
  return { final };
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
