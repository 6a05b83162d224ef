import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';
import { reproduce } from '../scoring/reproduce.ts';
import type { Result } from '../scoring/result.ts';
import { EXIT } from './exit-codes.ts';
import { jsonLines } from './json-lines.ts';
import { readText, requireSets, separateFile } from './load-sets.ts';

export function reproduceCommand(program: Command): void {
  program
    .command('reproduce')
    .description('recompute results from their evidence and compare them byte for byte')
    .requiredOption('--set <file...>', 'the sets that made them, as they were')
    .argument('[results]', 'NDJSON of results; - reads stdin')
    .action((given: string | undefined, options: { set: string[] }) => {
      const { sets: files, file } = separateFile(options.set, given);
      const sets = requireSets(files);
      let same = 0;
      for (const { value, line } of jsonLines(readText(file, MAX_RESULTS_BYTES), file)) {
        const result = value as unknown as Result;
        const set =
          sets.find((one) => one.name === result.set && one.version === result.set_version) ??
          sets.find((one) => one.name === result.set);
        if (!set)
          throw new PlumblineError('PLB-CLI-SET', `the result is of the set \`${result.set}\`, which was not given`, {
            where: { file, line },
            hint: 'add it with --set',
          });
        const { difference } = reproduce(set, result);
        if (difference) {
          process.stdout.write(
            `${file}:${line}: ${result.entity} ${result.id} differs at \`${difference.path}\`\n  recorded:   ${difference.recorded}\n  recomputed: ${difference.recomputed}\n`,
          );
          process.exitCode = EXIT.failure;
          return;
        }
        same++;
      }
      process.stdout.write(`${same} ${same === 1 ? 'result' : 'results'} reproduced\n`);
    });
}

/** Results are read whole; split a larger file. */
const MAX_RESULTS_BYTES = 1024 * 1024 * 1024;
