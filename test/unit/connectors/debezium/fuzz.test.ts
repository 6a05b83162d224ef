import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeDebezium, decodeDebeziumValue } from '../../../../src/connectors/debezium/decode.ts';
import { NO_SAMPLES, sampleBytes, sampleJson } from '../../../support/event-samples.ts';
import { expectSound } from '../../../support/expect-decoded.ts';
import { flipped, mutated } from '../../../support/mutate-json.ts';

const FILES = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'].map((file) => `${file}.json`);
const good = JSON.stringify(sampleJson('debezium', '02.json'));
const alsoGood = JSON.stringify(sampleJson('debezium', '09.json'));
const decode = (text: string | Uint8Array) => decodeDebezium(Buffer.from(text));
const goodEvents = [...decode(good).events, ...decode(alsoGood).events];

it.skipIf(NO_SAMPLES).each(FILES)('%s, mutated, never throws and never takes good events with it', (file) => {
  fc.assert(
    fc.property(mutated(sampleJson('debezium', file)), (text) => {
      const alone = decode(text);
      expectSound(alone);
      expectSound(decodeDebeziumValue(JSON.parse(text)));
      const batch = decode(`[${good},${text},${alsoGood}]`);
      expectSound(batch);
      expect([batch.events[0], batch.events.at(-1)]).toEqual(goodEvents);
      // A list within a list is none.
      if (!text.startsWith('[')) expect(batch.events).toHaveLength(alone.events.length + 2);
    }),
    { numRuns: 200 },
  );
});

it.skipIf(NO_SAMPLES).each(FILES)('%s with damaged bytes never throws', (file) => {
  fc.assert(
    fc.property(flipped(sampleBytes('debezium', file)), (bytes) => expectSound(decode(bytes))),
    { numRuns: 200 },
  );
});
