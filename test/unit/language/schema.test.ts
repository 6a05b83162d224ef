import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { schemaText } from '../../../src/cli/schema.ts';

it('keeps schemas/constraint-set.schema.json as `plumbline schema` prints it', () => {
  const file = new URL('../../../schemas/constraint-set.schema.json', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(schemaText());
});

it('describes the keys that an editor completes', () => {
  const { properties } = JSON.parse(schemaText());
  for (const [key, property] of Object.entries<{ description?: string }>(properties.constraints.items.properties))
    expect([key, property.description ?? '']).not.toEqual([key, '']);
});
