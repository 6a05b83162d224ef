import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Contracts, loadContracts } from '../../schemas/contracts.ts';
import { CRM_TELLERS, type Crm } from '../book/crm/crm-records.ts';
import { type BookOptions, DEFAULT_BOOK_UNTIL, generateBook, generateHistory } from '../book/generate-book.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import { formatInstant, parseDate, parseInstant } from '../language/contract.ts';
import { lineWriter } from './line-writer.ts';
import { progress } from './progress.ts';

const DAY_MS = 86_400_000;

export function generateCommand(program: Command): void {
  program
    .command('generate')
    .description('write the generated book of business, a year of canonical changes, as NDJSON')
    .requiredOption('--seed <n>', 'whole number; the same seed gives the same bytes', wholeNumber)
    .option('--until <date>', `where the year ends (default: ${formatInstant(DEFAULT_BOOK_UNTIL)})`, instant)
    .option('--accounts <n>', 'how many accounts', wholeNumber, 200)
    .option('--deals <n>', 'how many deals', wholeNumber, 1_500)
    .addOption(
      new Option(
        '--as <crm>',
        'the events of a CRM that has that book, as it delivers them; src/book/crm has mappings',
      ).choices(Object.keys(CRM_TELLERS)),
    )
    .action(async ({ as, ...options }: GenerateFlags) => {
      const out = lineWriter(process.stdout);
      const shown = progress(process.stderr, as === undefined ? 'changes' : 'records');
      const book = { ...options, until: options.until ?? DEFAULT_BOOK_UNTIL };
      for (const line of linesOf(book, as, loadContracts())) {
        if (!(await out.write(line))) break;
        shown.step();
      }
      shown.end();
      await out.flush();
    });
}

interface GenerateFlags extends Omit<BookOptions, 'until'> {
  readonly until?: number;
  readonly as?: Crm;
}

function* linesOf(book: BookOptions, crm: Crm | undefined, contracts: Contracts): Generator<string, void> {
  if (crm === undefined) for (const change of generateBook(book)) yield encodeChange(change, contracts);
  else
    for (const { value } of CRM_TELLERS[crm](book.seed, generateHistory(book), contracts)) yield JSON.stringify(value);
}

export function wholeNumber(text: string): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('expected a whole number.');
  return value;
}

/** `2026-07-01` or `2026-07-01T00:00:00Z`. */
function instant(text: string): number {
  const days = parseDate(text);
  const ms = days === null ? parseInstant(text) : days * DAY_MS;
  if (ms === null) throw new InvalidArgumentError('expected a date such as 2026-07-01.');
  return ms;
}
