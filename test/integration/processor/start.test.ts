import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { plumbline, ROOT, scratchDirectory, until } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

test('start ends with 1 and a code where it can not come up, instead of staying half up', async () => {
  const dataDir = join(scratch.path, 'torn');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'book.json'), '');
  const told = await plumbline(['start', '--data-dir', dataDir, '--port', '0']);
  expect(told.code).toBe(1);
  expect(told.stderr).toContain('PLB-CLI-NOTE');
  expect(told.stderr).toContain('hint: delete it');
});

test('Ctrl-C stops a start that is still feeding; the next one goes on with the same book', async () => {
  const dataDir = join(scratch.path, 'cut');
  const run = async (): Promise<{ code: number | null; output: string }> => {
    const child = spawn(
      process.execPath,
      [join(ROOT, 'src/cli/main.ts'), 'start', '--data-dir', dataDir, '--port', '0'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    await until('the feed goes on', async () => output.includes('changes fed'));
    child.kill('SIGINT');
    return { code: await ended, output };
  };
  const first = await run();
  expect([first.code, first.output.includes('The log is empty')]).toEqual([0, true]);
  expect(first.output).toContain('stopped; everything that was answered is on the log');
  const second = await run();
  expect([second.code, second.output.includes('The log is empty')]).toEqual([0, false]);
  expect(second.output).toContain('Going on with the generated book');
});
