const VERSION = /^\d{1,30}$/;

export const isVersion = (value: unknown): value is string => typeof value === 'string' && VERSION.test(value);

/** Compares two decimal strings as numbers, of any length: below, equal or above 0. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const x = stripZeros(a);
  const y = stripZeros(b);
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Whether a register of this version takes `version`; of equal versions the first stays. */
export const isNewer = (version: string, than: string | null | undefined): boolean =>
  than === null || than === undefined || compareVersions(version, than) > 0;

/** The least version that every register of this version, or of a lower one, takes. */
export const versionAfter = (version: string): string => String(BigInt(version) + 1n);

function stripZeros(digits: string): string {
  if (digits.charCodeAt(0) !== 48) return digits;
  let start = 0;
  while (start < digits.length - 1 && digits.charCodeAt(start) === 48) start++;
  return digits.slice(start);
}
