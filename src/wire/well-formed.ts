/**
 * A JSON value whose texts are Unicode: half a surrogate pair, which JSON can escape and UTF-8 can't hold, becomes
 * U+FFFD. avsc would write bytes that no client reads.
 */
export function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(wellFormed) as T;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, wellFormed(item)])) as T;
}
