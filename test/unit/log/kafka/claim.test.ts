import fc from 'fast-check';
import { expect, it } from 'vitest';
import { claimIn, encodeClaim } from '../../../../src/log/kafka/claim.ts';

it('what a member has comes back', () => {
  expect({ ...claimIn(encodeClaim({ images: [0, 2], deals: [] })) }).toEqual({ images: [0, 2], deals: [] });
});

it.each(['', 'null', '[1]', '7', '{"images":7}', '{"images":', '{"__proto__":[1]}', '{"constructor":"x"}'])(
  '%s claims nothing',
  (text) => {
    expect(claimIn(Buffer.from(text)).images).toBe(undefined);
    expect(Object.hasOwn({}, 'images')).toBe(false);
  },
);

it('nothing that comes makes it throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void claimIn(Buffer.from(bytes))));
  expect(claimIn(null)).toEqual({});
});
