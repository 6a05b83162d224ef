import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readText } from '../../../src/cli/load-sets.ts';
import { PlumblineError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumbline-load-sets-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(bytes: Buffer): string {
  const file = join(folder, 'set.yaml');
  writeFileSync(file, bytes);
  return readText(file);
}

describe('a text file', () => {
  it('is read without its byte order mark', () =>
    expect(read(Buffer.from('\uFEFFname: Zoë \uFFFD 😀\n'))).toBe('name: Zoë \uFFFD 😀\n'));

  it.each([
    ['Latin-1', Buffer.from('a: b\nname: Zoë\n', 'latin1'), 'byte 13', 2],
    ['UTF-16', Buffer.from('\uFEFFname: x', 'utf16le'), 'byte 0', 1],
    ['half a surrogate pair', Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x61]), 'byte 1', 1],
    ['a character cut off', Buffer.from('a: 😀').subarray(0, 5), 'byte 3', 1],
  ])('that is %s is refused with its place', (_, bytes, place, line) => {
    let thrown: unknown;
    try {
      read(bytes);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PlumblineError);
    expect(thrown).toMatchObject({ code: 'PLB-CLI-ENCODING', where: { file: join(folder, 'set.yaml'), line } });
    expect(String(thrown)).toContain(place);
  });
});
