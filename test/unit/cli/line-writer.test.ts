import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { lineWriter } from '../../../src/cli/line-writer.ts';

const LINE = 'x'.repeat(9_999);

describe('lineWriter', () => {
  it('waits for a slow reader', async () => {
    let buffered = 0;
    let most = 0;
    let text = '';
    const slow = new Writable({
      highWaterMark: 1_000,
      write: (chunk: Buffer, _encoding, done) => {
        buffered += chunk.length;
        most = Math.max(most, buffered);
        text += String(chunk);
        setImmediate(() => {
          buffered -= chunk.length;
          done();
        });
      },
    });
    const out = lineWriter(slow);
    for (let index = 0; index < 100; index++) expect(await out.write(LINE)).toBe(true);
    expect(await out.flush()).toBe(true);
    expect(text).toBe(`${LINE}\n`.repeat(100));
    expect(most).toBeLessThan(100_000);
  });

  it('stops quietly when the reader has gone', async () => {
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })),
    });
    const out = lineWriter(gone);
    let wanted = 0;
    while ((await out.write(LINE)) && wanted < 1_000) wanted += 1;
    expect(wanted).toBeLessThan(20);
    expect(await out.flush()).toBe(false);
  });

  it('throws what else goes wrong', async () => {
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left')) });
    const out = lineWriter(full);
    await out.write('a');
    await expect(out.flush().then(() => out.flush())).rejects.toMatchObject({ code: 'PLB-OUTPUT' });
  });
});
