/** What decimal fractions lose in binary: 0.07 · 10000 is 700.0000000000001. */
const BINARY_ERROR = 1e-6;

/** A product or sum of decimal fractions: the whole number that it stands for, where it is nearly one. */
export function snap(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < BINARY_ERROR ? whole : value;
}
