import { PlumblineError } from '../errors.ts';
import { didYouMean } from '../language/suggest.ts';

export type JsonObject = { readonly [name: string]: unknown };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A request's body as a JSON object. @throws PlumblineError PLB-HTTP-JSON */
export function jsonBody(body: unknown): JsonObject {
  try {
    const json: unknown = JSON.parse(utf8.decode(body instanceof Uint8Array ? body : new Uint8Array()));
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return json as JsonObject;
  } catch {
    // Told below: of what came nothing is repeated.
  }
  throw new PlumblineError('PLB-HTTP-JSON', 'the body is no JSON object', {
    hint: 'send one with content-type application/json; /openapi.json says what it holds',
  });
}

/** A key that is mistyped would be passed over. @throws PlumblineError PLB-HTTP-KEY */
export function refuseUnknownKeys(body: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new PlumblineError('PLB-HTTP-KEY', `\`${unknown.slice(0, 80)}\` is no key of this request`, {
    hint: didYouMean(unknown, known) ?? `it takes ${known.join(', ')}`,
  });
}
