import type { Command } from 'commander';
import { explain } from '../scoring/explain.ts';
import { runExamples } from '../scoring/run-examples.ts';
import { painter } from './colors.ts';
import { EXIT } from './exit-codes.ts';
import { requireSets } from './load-sets.ts';
import { renderExplanation } from './render-explanation.ts';

export function testCommand(program: Command): void {
  program
    .command('test')
    .description("run the sets' examples")
    .argument('<set...>', 'YAML documents')
    .action((files: string[]) => {
      const paint = painter(process.stdout);
      let passed = 0;
      let failed = 0;
      for (const set of requireSets(files))
        for (const { example, subject, result, mismatches } of runExamples(set)) {
          if (mismatches.length === 0) {
            passed++;
            continue;
          }
          failed++;
          process.stdout.write(`${paint('red', 'failed')} ${set.checked.file}:${example.line}: ${example.name}\n`);
          for (const { what, expected, got } of mismatches)
            process.stdout.write(`  ${what}: expected ${expected}, got ${got}\n`);
          process.stdout.write(
            `${renderExplanation(explain(set, result, subject.fields, subject.account, subject.now), paint)}\n`,
          );
        }
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) process.exitCode = EXIT.failure;
    });
}
