import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSalesforce } from '../../../../src/connectors/salesforce/decode.ts';
import { loadSalesforceSchemas } from '../../../../src/connectors/salesforce/load-schemas.ts';
import { NO_SCHEMAS } from '../../../../src/connectors/salesforce/schemas.ts';
import { NO_SAMPLES, sampleBytes, sampleFolder, sampleJson } from '../../../support/event-samples.ts';
import { expectSound } from '../../../support/expect-decoded.ts';
import { flipped, mutated } from '../../../support/mutate-json.ts';

const AVRO_FOLDER = 'salesforce-cdc-pubsub-avro';
const schemas = NO_SAMPLES ? NO_SCHEMAS : loadSalesforceSchemas(fileURLToPath(sampleFolder(AVRO_FOLDER)));
const FILES: readonly (readonly [string, string])[] = [
  ...['01', '03', '04', '05', '07', '09', '10'].map((file) => ['salesforce-cdc-pubsub-json', `${file}.json`] as const),
  ...['01', '02', '03'].map((file) => ['salesforce-cdc-cometd', `${file}.json`] as const),
  ...['01', '02', '03'].map((file) => [AVRO_FOLDER, `${file}.json`] as const),
];
const decode = (text: string | Uint8Array) => decodeSalesforce(Buffer.from(text), schemas);
const good = JSON.stringify(sampleJson('salesforce-cdc-pubsub-json', '08.json'));
const alsoGood = JSON.stringify(sampleJson('salesforce-cdc-pubsub-json', '06.json'));
const goodEvents = [...decode(good).events, ...decode(alsoGood).events];

it.skipIf(NO_SAMPLES).each(FILES)(
  '%s/%s, mutated, never throws and never takes good events with it',
  (folder, file) => {
    fc.assert(
      fc.property(mutated(sampleJson(folder, file)), (text) => {
        const alone = decode(text);
        expectSound(alone);
        const batch = decode(`[${good},${text},${alsoGood}]`);
        expectSound(batch);
        expect([batch.events[0], batch.events.at(-1)]).toEqual(goodEvents);
        expect(batch.events).toHaveLength(alone.events.length + 2);
        expect(batch.failures).toHaveLength(alone.failures.length);
      }),
      { numRuns: 150 },
    );
  },
);

it.skipIf(NO_SAMPLES).each(FILES)('%s/%s with damaged bytes never throws', (folder, file) => {
  fc.assert(
    fc.property(flipped(sampleBytes(folder, file)), (bytes) => expectSound(decode(bytes))),
    { numRuns: 150 },
  );
});

it.skipIf(NO_SAMPLES)('damaged Avro payloads never throw', () => {
  const captures = sampleJson(AVRO_FOLDER, '01.json') as unknown as readonly {
    readonly event: { readonly payload: string };
  }[];
  const [capture] = captures;
  const payload = Buffer.from(capture?.event.payload ?? '', 'base64');
  fc.assert(
    fc.property(flipped(payload), (bytes) => {
      const damaged = { ...capture, event: { ...capture?.event, payload: Buffer.from(bytes).toString('base64') } };
      const batch = decode(`[${JSON.stringify(damaged)},${good}]`);
      expectSound(batch);
      expect(batch.events.at(-1)).toEqual(goodEvents[0]);
    }),
    { numRuns: 500 },
  );
});
