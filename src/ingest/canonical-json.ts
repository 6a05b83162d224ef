/**
 * RFC 8785 JSON: object keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * Properties that are undefined are left out, as JSON.stringify does.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const parts: string[] = [];
  const source = value as { readonly [name: string]: unknown };
  for (const name of Object.keys(source).sort()) {
    const item = source[name];
    if (item !== undefined) parts.push(`${JSON.stringify(name)}:${canonicalJson(item)}`);
  }
  return `{${parts.join(',')}}`;
}
