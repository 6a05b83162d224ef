import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../../../deploy/kafka/cluster.ts';
import { loadContracts } from '../../../schemas/contracts.ts';
import { publish } from '../../../schemas/publish.ts';
import { connectRegistry, type Registry } from '../../../schemas/registry.ts';
import { topicNames } from '../../../src/log/topics.ts';
import { connectWire } from '../../../src/wire/connect.ts';
import { subjectsOf } from '../../../src/wire/subjects.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { contracts, recordOf, schemas } from '../../support/avro-wires.ts';
import { scratchDirectory } from '../../support/cli.ts';
import { reasonWithoutRegistry } from '../../support/kafka.ts';

const reason = reasonWithoutRegistry();
const topics = topicNames('t.');

describe.skipIf(reason !== null)(`a real registry${reason === null ? '' : ` (${reason})`}`, () => {
  const scratch = scratchDirectory();
  let stop: () => Promise<void> = async () => {};
  let registry: Registry;
  let wire: Wire;
  /** A client that is not ours. */
  let plain: SchemaRegistry;

  beforeAll(async () => {
    const cluster = await startCluster({
      brokers: 1,
      port: 0,
      registryPort: 0,
      directory: scratch.path,
      tell: (text) => process.stderr.write(`${text} …\n`),
    });
    stop = cluster.stop;
    const url = cluster.registryUrl ?? '';
    registry = connectRegistry({ url });
    plain = new SchemaRegistry({ host: url });
  });
  afterAll(async () => {
    await stop();
    scratch.remove();
  });

  it('says what is missing before, and takes the schemas', async () => {
    await expect(connectWire(registry, topics, loadContracts())).rejects.toMatchObject({
      code: 'PLB-REGISTRY-MISSING',
      retryable: false,
    });
    for (const { kind, subject } of subjectsOf(topics)) await publish(registry, subject, schemas[kind]);
    wire = await connectWire(registry, topics, loadContracts());
  });

  it('has no schema of an unknown id', async () => {
    expect(await registry.schemaById(987_654)).toBe(null);
    expect(await registry.versions('nobody')).toEqual([]);
    expect(await registry.lookUp('nobody', '"int"')).toBe(null);
  });

  it('refuses an incompatible schema', async () => {
    const [deals] = subjectsOf(topics);
    await expect(publish(registry, deals?.subject ?? '', { ...schemas.image, name: 'Other' })).rejects.toMatchObject({
      code: 'PLB-REGISTRY-INCOMPATIBLE',
    });
  });

  it('a plain client reads posture changes as typed fields', async () => {
    const change = {
      entity: 'deal',
      id: 'D1',
      account_id: 'A1',
      name: 'Größe',
      owner: null,
      segment: null,
      amount: 12.5,
      url: null,
      image_seq: 2 ** 52 + 1,
      set: 'deal-desk',
      set_version: 'f'.repeat(64),
      cause: { event_id: 'e', kind: 'change' },
      now: '2026-03-01T00:00:00Z',
      from: null,
      to: 'at_risk',
      moved: [{ constraint: 'c', from: null, to: 'violated', message: 'm' }],
      result: 'sha256:1',
    } as const;
    const { value } = wire.posture.encode(change);
    expect(await plain.decode(Buffer.from(value ?? []))).toMatchObject({
      entity: 'deal',
      id: 'D1',
      amount: 12.5,
      now: Date.UTC(2026, 2, 1),
      from: null,
      to: 'at_risk',
      moved: [{ constraint: 'c', to: 'violated', message: 'm', fix: null }],
    });
  });

  it("a plain producer's changes are read, with its own schema", async () => {
    const schema = {
      type: 'record',
      name: 'DealChange',
      namespace: 'com.example.crm',
      fields: [
        { name: 'event_id', type: 'string' },
        { name: 'id', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'changed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'op', type: { type: 'enum', name: 'ChangeOp', symbols: ['upsert'] } },
        {
          name: 'fields',
          type: { type: 'record', name: 'Fields', fields: [{ name: 'amount', type: ['null', 'double'] }] },
        },
      ],
    };
    const id = await registry.register('foreign-value', JSON.stringify(schema));
    const value = await plain.encode(id, {
      event_id: 'e',
      id: 'D1',
      version: '1',
      changed_at: 1000,
      op: 'upsert',
      fields: { amount: 7 },
    });
    await wire.prepare([value]);
    expect(wire.change.decode(recordOf(value), 'deal', contracts)).toMatchObject({ id: 'D1', fields: { amount: 7 } });
  });
});
