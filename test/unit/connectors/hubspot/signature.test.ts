import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkSignature, SIGNATURE_WINDOW_MS } from '../../../../src/connectors/hubspot/signature.ts';

/** From the tests of HubSpot's own client libraries (Python, Ruby). */
const PUBLISHED = [
  ['1693657560000', 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y='],
  ['1700000300000', 'RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw='],
] as const;
const SECRET = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const BODY = "{'example_field':'example_value'}";
const request = (more: object = {}) => ({
  method: 'POST',
  uri: 'https://www.example.com/webhook_uri',
  body: Buffer.from(BODY),
  signature: PUBLISHED[0][1],
  timestamp: PUBLISHED[0][0],
  ...more,
});
const AT = Number(PUBLISHED[0][0]);
const code = (run: () => void): string | null => {
  try {
    run();
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const check = (more: object = {}, secret = SECRET, nowMs = AT): string | null =>
  code(() => checkSignature(request(more), secret, nowMs));

describe("HubSpot's signature", () => {
  it.each(PUBLISHED)('of its own examples holds: %s', (timestamp, signature) => {
    expect(check({ timestamp, signature }, SECRET, Number(timestamp))).toBeNull();
  });

  it.each([
    ['another secret', {}, 'another'],
    ['an empty secret', {}, ''],
    ['another method', { method: 'PUT' }, SECRET],
    ['http for https', { uri: 'http://www.example.com/webhook_uri' }, SECRET],
    ['a slash more', { uri: 'https://www.example.com/webhook_uri/' }, SECRET],
    ['a query', { uri: 'https://www.example.com/webhook_uri?a=1' }, SECRET],
    ['a body that differs in a byte', { body: Buffer.from(BODY.replace('value', 'valuf')) }, SECRET],
    ['another time', { timestamp: String(AT + 1) }, SECRET],
    ['a signature cut short', { signature: PUBLISHED[0][1].slice(0, -1) }, SECRET],
    ['an empty signature', { signature: '' }, SECRET],
    ['no signature', { signature: undefined }, SECRET],
    ['two signatures', { signature: [PUBLISHED[0][1], PUBLISHED[0][1]] }, SECRET],
    ['no time', { timestamp: undefined }, SECRET],
    ['a time that is none', { timestamp: 'NaN' }, SECRET],
    ['an endless time', { timestamp: '1'.repeat(400) }, SECRET],
  ])('does not hold for %s', (_, more, secret) => {
    expect(check(more, secret)).toBe('PLB-HOOK-SIGNATURE');
  });

  it.each([
    [SIGNATURE_WINDOW_MS, null],
    [SIGNATURE_WINDOW_MS + 1, 'PLB-HOOK-REPLAY'],
    [-SIGNATURE_WINDOW_MS, null],
    [-SIGNATURE_WINDOW_MS - 1, 'PLB-HOOK-REPLAY'],
  ])('%i ms after it was made: %s', (later, expected) => {
    expect(check({}, SECRET, AT + later)).toBe(expected);
  });

  it('is made over the address with the twelve characters decoded that HubSpot decodes, and no others', () => {
    const uri = 'https://h.example/hook?a=%3a%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%20%26%3D%2B%25&c=%2';
    const signed = "POSThttps://h.example/hook?a=:/?@!$'()*,;&b=%20%26%3D%2B%25&c=%2[]1790000002000";
    const signature = createHmac('sha256', 'secret').update(signed).digest('base64');
    const body = Buffer.from('[]');
    expect(check({ uri, body, signature, timestamp: '1790000002000' }, 'secret', 1790000002000)).toBeNull();
  });

  it('is made over the bytes of the body', () => {
    const body = Buffer.from('[{"propertyValue":"Zoë 🎻"}]');
    const signature = createHmac('sha256', SECRET)
      .update(`POSThttps://www.example.com/webhook_uri[{"propertyValue":"Zoë 🎻"}]${AT}`, 'utf8')
      .digest('base64');
    expect(check({ body, signature })).toBeNull();
    expect(check({ body: Buffer.from(body.toString().normalize('NFD')), signature })).toBe('PLB-HOOK-SIGNATURE');
  });
});
