import { spawnSync } from 'node:child_process';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../../schemas/publish.ts';
import { loadRecordSchemas } from '../../../schemas/record-schemas.ts';
import { connectRegistry } from '../../../schemas/registry.ts';
import type { Log } from '../../../src/log/port.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { connectWire } from '../../../src/wire/connect.ts';
import { jsonView } from '../../../src/wire/json-view.ts';
import { subjectsOf } from '../../../src/wire/subjects.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, reasonWithoutRegistry, type TestCluster } from '../../support/kafka.ts';
import { type Installation, installOn } from '../../support/kafka-installation.ts';
import { recordsOf, textsOf } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka() ?? reasonWithoutRegistry();
const hasKcat = spawnSync('kcat', ['-V']).error === undefined;
const DEALS = 20;
const VERSIONS = 2;

/** Programs that know Kafka and the registry, and nothing of Plumbline. */
describe.skipIf(reason !== null)(`other clients${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  let installation: Installation;
  let log: Log;
  let wire: Wire;
  let kafka: Kafka;
  let plain: SchemaRegistry;
  beforeAll(async () => {
    cluster = await openTestCluster(true);
    const url = cluster.registryUrl ?? '';
    kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    plain = new SchemaRegistry({ host: url });
    installation = await installOn(cluster.brokers, scratch.path, 4);
    const { topics } = installation;
    const registry = connectRegistry({ url });
    const schemas = loadRecordSchemas(contracts);
    for (const { kind, subject } of subjectsOf(topics)) await publish(registry, subject, schemas[kind]);
    wire = await connectWire(registry, topics, contracts);
    log = await installation.open();
    const follower = await followControl(log, topics, compile, wire);
    await activateSets(log, topics, follower, shippedSets(), { at: 0, by: 'test' }, wire);
  }, 300_000);
  afterAll(async () => {
    await log.close();
    await cluster.stop();
    scratch.remove();
  });

  it('whose producer places keys elsewhere have each change scored exactly once', async () => {
    const { topics } = installation;
    const subject = subjectsOf(topics).find(({ topic }) => topic === topics.dealChanges)?.subject ?? '';
    const schema = await plain.getLatestSchemaId(subject);
    const worker = await workOn(log, topics, { wire });
    const elsewhere = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner });
    const onOne = kafka.producer({ createPartitioner: () => () => 0 });
    for (const producer of [elsewhere, onOne]) await producer.connect();
    for (let version = 1; version <= VERSIONS; version++)
      for (let deal = 0; deal < DEALS; deal++) {
        const id = `D${deal}`;
        const value = await plain.encode(schema, {
          event_id: `${id}-${version}`,
          entity: 'deal',
          id,
          account_id: `A${deal % 3}`,
          version: String(version),
          changed_at: Date.UTC(2026, 2, version),
          op: 'upsert',
          fields: { stage: version === 1 ? 'proposal' : 'won', amount: 1_000, discount_pct: 45 },
        });
        // The same change twice, as of a producer that was not sure.
        const messages = [
          { key: id, value },
          { key: id, value },
        ];
        await (deal % 2 === 0 ? elsewhere : onOne).send({ topic: topics.dealChanges, messages });
      }
    for (const producer of [elsewhere, onOne]) await producer.disconnect();
    const results = async () =>
      (await recordsOf(jsonView(log, topics, wire), topics.results))
        .flatMap(textsOf)
        .map((text) => JSON.parse(text) as Result)
        .filter(({ cause }) => cause.kind === 'change');
    await until('all is scored', async () => (await results()).length >= DEALS * VERSIONS * 2);
    await until('nothing is left', async () => totalLag(await lagOf(log, topics)) === 0);
    const expected = Array.from({ length: DEALS }, (_, deal) =>
      ['1', '2'].flatMap((version) => ['deal-desk', 'pipeline-hygiene'].map((set) => `D${deal} ${version} ${set}`)),
    ).flat();
    const given = await results();
    expect(given.map(({ id, version, set }) => `${id} ${version} ${set}`).sort()).toEqual(expected.sort());
    for (const first of given.filter(({ version }) => version === '1'))
      expect(given.slice(given.indexOf(first)).some(({ id, version }) => id === first.id && version === '2')).toBe(
        true,
      );
    expect(worker.health.report().counters['ingest.moved']).toBeGreaterThan(DEALS / 2);
    expect((await recordsOf(log, topics.deadLetters)).flat()).toEqual([]);
    await worker.stop(10_000);
  });

  /** The posture changes as this client's own reading has them, in an order that doesn't depend on it. */
  const postures = async (values: readonly Buffer[]): Promise<readonly string[]> => {
    const told: string[] = [];
    for (const value of values) {
      const { id, set, image_seq: seq, from, to } = await plain.decode(value);
      told.push([id, set, seq, from, to].join(' '));
    }
    return told.sort();
  };
  const ours = async (): Promise<readonly string[]> => {
    const texts = (await recordsOf(jsonView(log, installation.topics, wire), installation.topics.postures)).flatMap(
      textsOf,
    );
    return texts
      .map((text) => JSON.parse(text))
      .map(({ id, set, image_seq: seq, from, to }) => [id, set, seq, from, to].join(' '))
      .sort();
  };

  it('whose consumer reads Avro by the registry see every posture change once', async () => {
    const expected = await ours();
    expect(expected.length).toBeGreaterThanOrEqual(DEALS);
    const consumer = kafka.consumer({ groupId: 'somebody-else' });
    await consumer.connect();
    await consumer.subscribe({ topics: [installation.topics.postures], fromBeginning: true });
    const values: Buffer[] = [];
    await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value ?? Buffer.alloc(0)) });
    await until('all are read', async () => values.length >= expected.length);
    await consumer.disconnect();
    expect(await postures(values)).toEqual(expected);
  });

  it.skipIf(!hasKcat)(`kcat reads the same${hasKcat ? '' : ': it is not installed'}`, async () => {
    const read = (format: string) =>
      spawnSync(
        'kcat',
        [
          ...['-b', cluster.brokers.join(','), '-X', 'isolation.level=read_committed', '-C', '-e', '-q'],
          ...['-o', 'beginning', '-t', installation.topics.postures, '-f', format],
        ],
        { timeout: 60_000, maxBuffer: 1 << 28 },
      ).stdout;
    // A length of four bytes before each value.
    const bytes = read('%R%s');
    const values: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readInt32BE(at);
      values.push(bytes.subarray(at + 4, end));
      at = end;
    }
    expect(await postures(values)).toEqual(await ours());
    const [line = ''] = read('%k %h\n').toString().split('\n');
    expect(line).toMatch(/^A\d .*ce_specversion=1\.0/);
  });
});
