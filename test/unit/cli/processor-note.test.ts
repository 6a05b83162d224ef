import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { askProcessor } from '../../../src/cli/ask-processor.ts';
import { dropNote, notedProcessor, noteProcessor } from '../../../src/cli/processor-note.ts';
import { scratchDirectory } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterEach(() => scratch.remove());

it('leaves the note of a successor, and takes an answer of another directory’s processor for nobody’s', async () => {
  const server = createServer((_request, response) => response.end('{"id":"other","posture":"nominal","reasons":[]}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  noteProcessor(scratch.path, { url, id: 'mine' });
  expect(await askProcessor(scratch.path)).toMatchObject({ running: false, url: null });
  dropNote(scratch.path, 'predecessor');
  expect(notedProcessor(scratch.path)).toEqual({ url, id: 'mine' });
  noteProcessor(scratch.path, { url, id: 'other' });
  expect(await askProcessor(scratch.path)).toMatchObject({ running: true, url, posture: 'nominal' });
  dropNote(scratch.path, 'other');
  expect(notedProcessor(scratch.path)).toBe(null);
  server.close();
});
