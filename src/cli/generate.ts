import { type Command, InvalidArgumentError } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { DEFAULT_BOOK_UNTIL, generateBook } from '../book/generate-book.ts';
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
    .action(async (options: { seed: number; until?: number; accounts: number; deals: number }) => {
      const contracts = loadContracts();
      const out = lineWriter(process.stdout);
      const shown = progress(process.stderr, 'changes');
      for (const change of generateBook({ ...options, until: options.until ?? DEFAULT_BOOK_UNTIL })) {
        if (!(await out.write(encodeChange(change, contracts)))) break;
        shown.step();
      }
      shown.end();
      await out.flush();
    });
}

function wholeNumber(text: string): number {
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
