import { expect, it } from 'vitest';
import { printable } from '../../../src/cli/printable.ts';

it('takes out what works on a terminal, and leaves every letter', () => {
  expect(printable('a\u001b[2Jb\r\n\u009b31mc\u202ed')).toBe('a·[2Jb···31mc·d');
  expect(printable('Zoë — 日本 𝄞 👩‍🚀')).toBe('Zoë — 日本 𝄞 👩‍🚀');
});
