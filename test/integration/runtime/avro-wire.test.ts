import { expect, it } from 'vitest';
import { decodePosture } from '../../../consumers/posture-changes.ts';
import { decodeResult } from '../../../consumers/scored-results.ts';
import { changeRecord, closeImportRecords } from '../../../producers/changes.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { requireSets } from '../../../src/cli/load-sets.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { compileDocument } from '../../../src/runtime/compile-document.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { startWorker } from '../../../src/runtime/worker.ts';
import { waiverValue } from '../../../src/scoring/evidence.ts';
import { answer } from '../../../src/scoring/score.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { contracts, testWire } from '../../support/avro-wires.ts';
import { until } from '../../support/cli.ts';
import { recordsOf } from '../../support/rescore.ts';

const topics = topicNames();
const SETS = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'].map((name) => `constraint-sets/${name}.yaml`);
const BOOK = { seed: 7, until: Date.UTC(2026, 6, 1), accounts: 10, deals: 60 };

/** All results and posture changes of a generated book, as texts. */
async function scoredOver(wire: Wire) {
  const log = openSimulatedLog(createStorage(topicSpecs(topics, 1)), { clock: Date.now });
  const compile = (document: Parameters<typeof compileDocument>[0]) => compileDocument(document, contracts);
  const control = await followControl(log, topics, compile, wire);
  await activateSets(log, topics, control, requireSets(SETS), { at: 0, by: 'test' }, wire);
  const intake = { kind: 'import', importId: 'i' } as const;
  // Accounts and deals are two inputs: one at a time, so that their images always come in the same order.
  const book = [...generateBook(BOOK)].filter(({ entity }) => entity === 'deal');
  await log.append([
    ...book.map((change) => changeRecord(topics, change, encodeChange(change, contracts), intake, wire)),
    ...closeImportRecords(topics, () => 1, 'i', wire),
  ]);
  const parts = { log, topics, contracts, answer, compile, waiverValue, wire };
  const worker = await startWorker({ ...parts, clock: () => BOOK.until, random: Math.random });
  await until('all is scored', async () => totalLag(await lagOf(log, topics)) === 0);
  await worker.stop(10_000);
  const texts = async (topic: string, decode: typeof decodeResult | typeof decodePosture) =>
    (await recordsOf(log, topic)).flat().map((record) => decode(record, wire).text);
  return {
    results: await texts(topics.results, decodeResult),
    postures: await texts(topics.postures, decodePosture),
    letters: (await recordsOf(log, topics.deadLetters)).flat().length,
    changes: book.length,
  };
}

it('a book is answered the same, to the byte, over Avro as over JSON', async () => {
  const overAvro = await scoredOver(testWire());
  const overJson = await scoredOver(jsonWire);
  expect(overAvro.results.length).toBeGreaterThan(overAvro.changes / 2);
  expect(overAvro.results).toEqual(overJson.results);
  expect(overAvro.postures).toEqual(overJson.postures);
  expect(overAvro.letters).toBe(overJson.letters);
});
