import { createHmac, timingSafeEqual } from 'node:crypto';
import { PlumblineError } from '../../errors.ts';

/** A request as it came, and the address that HubSpot was given. */
export interface SignedRequest {
  readonly method: string;
  /** The whole address that HubSpot called: scheme, host, path and query as they were sent. */
  readonly uri: string;
  readonly body: Uint8Array;
  /** X-HubSpot-Signature-v3 */
  readonly signature: unknown;
  /** X-HubSpot-Request-Timestamp: when this attempt was sent, milliseconds. */
  readonly timestamp: unknown;
}

/** A request may be this much older than now, or by a clock that is not ours ahead of it. */
export const SIGNATURE_WINDOW_MS = 5 * 60_000;

/** What HubSpot decodes before it signs; everything else stays as it was sent. */
const DECODED: ReadonlyMap<string, string> = new Map([
  ['%3A', ':'],
  ['%2F', '/'],
  ['%3F', '?'],
  ['%40', '@'],
  ['%21', '!'],
  ['%24', '$'],
  ['%27', "'"],
  ['%28', '('],
  ['%29', ')'],
  ['%2A', '*'],
  ['%2C', ','],
  ['%3B', ';'],
]);

/** Checks version 3 of HubSpot's signature. @throws PlumblineError PLB-HOOK-SIGNATURE, PLB-HOOK-REPLAY */
export function checkSignature(request: SignedRequest, secret: string, nowMs: number): void {
  const { signature, timestamp } = request;
  if (typeof signature !== 'string' || typeof timestamp !== 'string' || !/^\d{1,15}$/.test(timestamp))
    throw new PlumblineError('PLB-HOOK-SIGNATURE', 'the request has no signature of version 3 with its time', {
      hint: 'expected the headers X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp',
    });
  if (Math.abs(nowMs - Number(timestamp)) > SIGNATURE_WINDOW_MS)
    throw new PlumblineError(
      'PLB-HOOK-REPLAY',
      `the request was signed ${Math.round((nowMs - Number(timestamp)) / 1000)} seconds ago, expected at most ${SIGNATURE_WINDOW_MS / 1000} either way`,
      { hint: "where this isn't somebody's repetition, check this machine's clock" },
    );
  if (!isEqual(signature, signatureOf(request, timestamp, secret)))
    throw new PlumblineError('PLB-HOOK-SIGNATURE', "the signature is not that of HubSpot's app for this request", {
      hint: "check the app's client secret, and that the public URL is the app's target URL to the letter",
    });
}

const signatureOf = ({ method, uri, body }: SignedRequest, timestamp: string, secret: string): string =>
  createHmac('sha256', secret)
    .update(`${method}${decodeUri(uri)}`)
    .update(body)
    .update(timestamp)
    .digest('base64');

const decodeUri = (uri: string): string =>
  uri.replace(/%[0-9a-f]{2}/gi, (encoded) => DECODED.get(encoded.toUpperCase()) ?? encoded);

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
