import { afterAll, expect, test } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { plumbline, scratchDirectory, startProcessor, until } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());
const at = ['--data-dir', scratch.path];

const book = (seed: number): string =>
  [...generateBook({ seed, until: Date.UTC(2026, 6, 1), accounts: 10, deals: 60 })]
    .map((change) => encodeChange(change, loadContracts()).replaceAll(/"(A|D)-/g, `"$1${seed}-`))
    .join('\n');

test('ingest, status and results beside a running processor lose nothing and are never locked out', async () => {
  const processor = await startProcessor(scratch.path);
  const books = [book(1), book(2), book(3)];
  const runs = await Promise.all([
    ...books.map((input) => plumbline(['ingest', ...at, '-'], { input })),
    plumbline(['status', ...at]),
    plumbline(['results', ...at, '--format', 'ndjson']),
    plumbline(['postures', ...at, '--limit', '5']),
  ]);
  for (const run of runs) expect([run.code, run.stderr]).toEqual([0, '']);
  const appended = runs.slice(0, 3).map((run) => Number(/^(\d+) changes/.exec(run.stdout)?.[1]));
  expect(appended).toEqual(books.map((text) => text.split('\n').length));
  await until(
    'no lag',
    async () => JSON.parse((await plumbline(['status', ...at, '--format', 'json'])).stdout).lag === 0,
  );

  // The same port again: ends before it takes a task away.
  const second = await plumbline(['run', ...at, '--port', new URL(processor.url).port]);
  expect([second.code, /PLB-HTTP-PORT/.test(second.stderr)]).toEqual([1, true]);
  expect(processor.child.exitCode).toBe(null);

  // Another port: it takes over, and the first one ends and says so.
  const successor = await startProcessor(scratch.path);
  expect(await processor.ended).toBe(1);
  expect(processor.output()).toContain('another process has taken');
  successor.child.kill('SIGINT');
  expect(await successor.ended).toBe(0);
});
