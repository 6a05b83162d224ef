import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';
import { reproduce } from '../scoring/reproduce.ts';
import { EXIT } from './exit-codes.ts';
import { requireVersions, separateFile } from './load-sets.ts';
import { plural } from './plural.ts';
import { atLine, readResults } from './read-results.ts';

export function reproduceCommand(program: Command): void {
  program
    .command('reproduce')
    .description('recompute results from their evidence and compare them byte for byte')
    .requiredOption('--set <file...>', 'the sets that made them, as they were')
    .argument('[results]', 'NDJSON of results; - reads stdin')
    .action((given: string | undefined, options: { set: string[] }) => {
      const { sets: files, file } = separateFile(options.set, given);
      const sets = requireVersions(files);
      let same = 0;
      for (const { result, where } of readResults(file, MAX_RESULTS_BYTES)) {
        const set =
          sets.find((one) => one.name === result.set && one.version === result.set_version) ??
          sets.find((one) => one.name === result.set);
        if (!set)
          throw new PlumblineError('PLB-CLI-SET', `the result is of the set \`${result.set}\`, which was not given`, {
            where,
            hint: 'add it with --set',
          });
        const { difference } = atLine(where, () => reproduce(set, result));
        if (difference) {
          process.stdout.write(
            `${file}:${where.line}: ${result.entity} ${result.id} differs at \`${difference.path}\`\n  recorded:   ${difference.recorded}\n  recomputed: ${difference.recomputed}\n`,
          );
          process.exitCode = EXIT.failure;
          return;
        }
        same++;
      }
      process.stdout.write(`${plural(same, 'result')} reproduced\n`);
    });
}

/** Results are read whole; split a larger file. */
const MAX_RESULTS_BYTES = 1024 * 1024 * 1024;
