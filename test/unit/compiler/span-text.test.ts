import { expect, it } from 'vitest';
import { spanText } from '../../../src/compiler/span-text.ts';

/** The part between the first and the last of these. */
const part = (text: string, first: string, last: string): string =>
  spanText(text, text.indexOf(first), text.lastIndexOf(last) + last.length);

it.each([
  [
    'deal.list_price * (1.0 - deal.discount_pct / 100.0) * 0.98',
    'deal.list',
    '100.0',
    'deal.list_price * (1.0 - deal.discount_pct / 100.0)',
  ],
  ['(a + b) * c', 'a +', 'c', '(a + b) * c'],
  ['x && ( ( a || b ) && c )', 'a', 'c', '( a || b ) && c'],
  ['size(a) > 0', 'size', ')', 'size(a)'],
  ['a == ")" && (b)', 'a', '")"', 'a == ")"'],
  ['(a)', 'a', 'a', 'a'],
])('puts back what was cut off: %s', (text, first, last, expected) => expect(part(text, first, last)).toBe(expected));
