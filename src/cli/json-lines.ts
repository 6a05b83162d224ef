import { PlumblineError } from '../errors.ts';

export interface JsonLine {
  readonly value: { readonly [member: string]: unknown };
  readonly line: number;
}

/** JSON objects, one a line; a text that is one object over several lines counts as one. @throws PlumblineError PLB-CLI-JSON */
export function* jsonLines(text: string, file: string): Generator<JsonLine> {
  const whole = parse(text);
  if (whole) {
    yield { value: whole, line: 1 };
    return;
  }
  let line = 0;
  for (const part of text.split('\n')) {
    line++;
    if (part.trim() === '') continue;
    const value = parse(part);
    if (!value)
      throw new PlumblineError('PLB-CLI-JSON', 'not a JSON object', {
        where: { file, line },
        hint: 'give one object a line',
      });
    yield { value, line };
  }
}

function parse(text: string): JsonLine['value'] | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonLine['value']) : null;
  } catch {
    return null;
  }
}
