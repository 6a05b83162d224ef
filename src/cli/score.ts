import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { formatError, PlumblineError } from '../errors.ts';
import { parseInstant } from '../language/contract.ts';
import { openDirect } from '../runtime/direct.ts';
import { POSTURES, type Posture } from '../scoring/posture.ts';
import type { ScoreOutput } from '../scoring/run.ts';
import { changeLines } from './change-lines.ts';
import { EXIT } from './exit-codes.ts';
import { lineWriter } from './line-writer.ts';
import { requireSets, separateFile } from './load-sets.ts';

/** Refusals shown on stderr; the rest are counted. */
const MAX_SHOWN_REFUSALS = 1000;

export function scoreCommand(program: Command): void {
  program
    .command('score')
    .description('score changes without a log: results as NDJSON, in order')
    .requiredOption('--set <file...>', 'constraint sets')
    .option('--now <instant>', "time of every answer; without it a change's own", parseNow)
    .option('--due', 'also answer the due times that lie before an image')
    .addOption(
      new Option('--fail-on <posture>', 'exit 2 where a result is this bad or worse').choices(POSTURES.slice(1)),
    )
    .argument('[changes]', 'NDJSON of canonical changes; - reads stdin')
    .action(
      async (given: string | undefined, options: { set: string[]; now?: number; due?: boolean; failOn?: Posture }) => {
        const contracts = loadContracts();
        const { sets, file } = separateFile(options.set, given);
        const pipeline = openDirect({
          contracts,
          sets: requireSets(sets),
          now: options.now ?? null,
          due: options.due ?? false,
        });
        const out = lineWriter(process.stdout);
        let refused = 0;
        let worst = 0;
        const refuse = (error: PlumblineError): void => {
          refused++;
          if (refused <= MAX_SHOWN_REFUSALS) process.stderr.write(`${formatError(error)}\n`);
        };
        reading: for await (const { change, error, line } of changeLines(file, contracts)) {
          if (error) {
            refuse(error);
            continue;
          }
          for (const output of taken(() => pipeline.take(change), file, line, refuse)) {
            if (output.kind === 'failed') {
              const { failure } = output;
              refuse(
                new PlumblineError(
                  failure.code,
                  `${failure.entity} ${failure.id} could not be scored by \`${failure.set}\`: ${failure.message}`,
                  { where: { file, line } },
                ),
              );
            } else if (output.kind === 'result') {
              worst = Math.max(worst, POSTURES.indexOf(output.answer.result.posture));
              if (!(await out.write(output.answer.json))) break reading;
            }
          }
        }
        await out.flush();
        if (refused > MAX_SHOWN_REFUSALS)
          process.stderr.write(`${refused} changes were refused, the first ${MAX_SHOWN_REFUSALS} are shown\n`);
        if (options.failOn && worst >= POSTURES.indexOf(options.failOn)) process.exitCode = EXIT.posture;
        else if (refused > 0) process.exitCode = EXIT.refused;
      },
    );
}

function taken(
  take: () => readonly ScoreOutput[],
  file: string,
  line: number,
  refuse: (error: PlumblineError) => void,
): readonly ScoreOutput[] {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof PlumblineError)) throw error;
    refuse(
      new PlumblineError(error.code, error.message, {
        where: { file, line },
        ...(error.hint ? { hint: error.hint } : {}),
      }),
    );
    return [];
  }
}

export function parseNow(text: string): number {
  const ms = parseInstant(text);
  if (ms === null) throw new InvalidArgumentError('expected an instant such as 2026-03-01T00:00:00Z');
  return ms;
}
