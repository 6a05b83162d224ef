import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/cli/duration.ts';
import { entityIds, MAX_IDS } from '../../../src/cli/entity-ids.ts';
import { scratchDirectory } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

const file = (text: string): string => {
  const path = join(scratch.path, 'ids.txt');
  writeFileSync(path, text);
  return path;
};

describe('the entities of a command', () => {
  it('are those that are given and those of a file, each once', () => {
    expect([...entityIds(['D1', 'D2'], file('\uFEFFD2\r\n\r\n  D 3 \n'))]).toEqual(['D1', 'D2', 'D 3']);
  });

  it('are some, and not too many', () => {
    expect(() => entityIds([], undefined)).toThrow('no entity is named');
    expect(() => entityIds([], file('\n'))).toThrow('no entity is named');
    const many = Array.from({ length: MAX_IDS + 1 }, (_, index) => `D${index}`).join('\n');
    expect(() => entityIds([], file(many))).toThrow(`at most ${MAX_IDS}`);
    expect(() => entityIds(['a\u0001b'], undefined)).toThrow("can't be an id");
  });
});

it('a duration is a count and a unit', () => {
  expect(['90s', '10m', '12h', '30d'].map(parseDuration)).toEqual([90_000, 600_000, 43_200_000, 2_592_000_000]);
  for (const wrong of ['', '30', 'd', '0d', '1.5d', '-3d', '1w', '3 d']) expect(() => parseDuration(wrong)).toThrow();
});
