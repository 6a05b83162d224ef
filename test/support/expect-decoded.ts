import { expect } from 'vitest';
import type { Decoded } from '../../src/connectors/source-event.ts';

export const codesOf = ({ failures }: Decoded): string[] => failures.map(({ code }) => code);

/** What every decoder promises of whatever it is given. */
export function expectSound(decoded: Decoded): void {
  for (const event of decoded.events) {
    expect(event.version).toMatch(/^\d{1,30}$/);
    expect(event.eventId.length).toBeGreaterThan(0);
    expect(event.eventId.length).toBeLessThanOrEqual(256);
    expect(event.object).not.toBe('');
    expect(Number.isSafeInteger(event.changedAt)).toBe(true);
    if ('id' in event && event.id !== null) expect(event.id).not.toBe('');
    if ('values' in event) {
      // Avro readers give records of a class of their own, which has nothing to find by a column's name.
      const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(event.values));
      expect(inherited.filter((name) => !(name in Object.prototype))).toEqual([]);
      if (event.kind === 'set')
        for (const path of event.changed ?? []) expect(event.values).toHaveProperty(path.split('.'));
    }
  }
  for (const { code, retryable, message } of decoded.failures) {
    expect(code).toMatch(/^PLB-EVENT-[A-Z]+$/);
    expect(retryable).toBe(false);
    expect(message.length).toBeLessThan(700);
  }
  expect(decoded.ignored).toBeGreaterThanOrEqual(0);
}
