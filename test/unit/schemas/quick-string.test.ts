import avro from 'avsc';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { avroReadType } from '../../../schemas/avro-type.ts';

const ours = avroReadType('string');
const plain = avro.Type.forSchema('string');

it('reads what avsc wrote, whatever was read before', () => {
  // Few letters: many texts are alike, and some meet in one slot.
  const short = fc.string({ unit: fc.constantFrom('a', 'b', '\u0000', '\u007f', 'é', '😀'), maxLength: 30 });
  const any = fc.oneof(short, fc.string({ unit: 'binary', maxLength: 100 }));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), (texts) => {
      for (const text of texts) {
        const bytes = plain.toBuffer(text.toWellFormed());
        expect(ours.decode(bytes)).toEqual({ value: text.toWellFormed(), offset: bytes.length });
      }
    }),
    { numRuns: 500 },
  );
});

it('tells texts apart that one slot holds in turn', () => {
  const texts = Array.from({ length: 20_000 }, (_, number) => `text ${number}`);
  const bytes = texts.map((text) => plain.toBuffer(text));
  for (const round of [0, 1])
    for (const [index, text] of texts.entries())
      if (ours.fromBuffer(bytes[index] ?? Buffer.of()) !== text) throw new Error(`round ${round}: ${text}`);
  expect(ours.fromBuffer(bytes[7] ?? Buffer.of())).toBe('text 7');
});
