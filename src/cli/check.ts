import { type Command, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import { loadSet, printDiagnostics } from './load-sets.ts';

export function checkCommand(program: Command): void {
  program
    .command('check')
    .description('check constraint sets; silent when they are right')
    .argument('<set...>', 'YAML documents')
    .addOption(
      new Option('--format <format>', 'text on stderr, or JSON on stdout').choices(['text', 'json']).default('text'),
    )
    .action((files: string[], options: { format: string }) => {
      const loaded = files.map(loadSet);
      if (options.format === 'json')
        process.stdout.write(`${JSON.stringify(loaded.flatMap(({ diagnostics }) => diagnostics))}\n`);
      else printDiagnostics(loaded);
      if (loaded.some(({ set }) => set === null)) process.exitCode = EXIT.invalid;
    });
}
