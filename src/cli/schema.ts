import type { Command } from 'commander';
import { documentJsonSchema } from '../language/document-shape.ts';

export function schemaCommand(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of a constraint set, for editors: schemas/constraint-set.schema.json')
    .action(() => {
      process.stdout.write(schemaText());
    });
}

/** The schema as the file in schemas/ has it. */
export const schemaText = (): string => `${JSON.stringify(documentJsonSchema(), null, 2)}\n`;
