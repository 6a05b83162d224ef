import { InvalidArgumentError } from 'commander';

const UNITS: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90s`, `10m`, `12h` or `30d`. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const length = UNITS[unit ?? ''];
  if (count === undefined || length === undefined)
    throw new InvalidArgumentError('expected a duration such as 30d, 12h or 90m');
  return Number(count) * length;
}
