import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { connectRegistry } from '../../../schemas/registry.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { createPrng } from '../../../src/book/prng.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { openKafkaLog } from '../../../src/log/kafka/open.ts';
import { stateTopicOf, topicLayouts, topicNames } from '../../../src/log/topics.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { connectWire } from '../../../src/wire/connect.ts';
import { jsonView } from '../../../src/wire/json-view.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import { plumbline, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { recordsOf, rescore, textsOf, withoutOffsets } from '../../support/rescore.ts';

const SEED = 20_263;
const KILLS = 4;
const WORKERS = 2;
const reason = reasonWithoutKafka();

describe.skipIf(reason !== null)(`processes on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster(true);
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  it(`that are killed again and again answer each image once, in order (seed ${SEED})`, async () => {
    const prefix = `t${randomUUID().slice(0, 8)}.`;
    const { registryUrl } = cluster;
    const registry = registryUrl === null ? [] : ['--registry', registryUrl];
    const on = ['--log', 'kafka', '--brokers', cluster.brokers.join(','), '--prefix', prefix, ...registry];
    const env = { PLUMBLINE_KAFKA_REPLICATION: '1' };
    const topics = topicNames(prefix);
    const layouts = topicLayouts(topics, { partitions: 4, replication: 1 });

    // Without its topics nothing starts, and the error says what to do.
    const early = await plumbline(['run', '--port', '0', '--data-dir', join(scratch.path, 'early'), ...on], { env });
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('PLB-LOG-LAYOUT')]);
    expect((await plumbline(['topics', 'check', ...on], { env })).code).toBe(3);
    expect(await plumbline(['topics', 'create', ...on], { env })).toMatchObject({ code: 0, stderr: '' });
    expect(await plumbline(['topics', 'check', ...on], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    const schemas = registry.length > 0 ? [...registry, '--prefix', prefix] : null;
    if (schemas !== null) {
      const unregistered = await plumbline(['activate', ...on, 'constraint-sets/deal-desk.yaml'], { env });
      expect([unregistered.code, unregistered.stderr]).toEqual([1, expect.stringContaining('PLB-REGISTRY-MISSING')]);
      expect(await plumbline(['schemas', 'register', ...schemas], { env })).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    }
    const sets = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'].map((name) => `constraint-sets/${name}.yaml`);
    expect((await plumbline(['activate', ...on, ...sets], { env })).stdout).toMatch(/renewal-risk \w{12} is active/);

    const contracts = loadContracts();
    const book = [...generateBook({ seed: SEED, until: Date.UTC(2026, 6, 1), accounts: 20, deals: 150 })];
    const file = join(scratch.path, 'book.ndjson');
    writeFileSync(file, book.map((change) => encodeChange(change, contracts)).join('\n'));

    const workers = await Promise.all(
      Array.from({ length: WORKERS }, (_, index) => startProcessor(join(scratch.path, `w${index}`), on, env)),
    );
    const ingested = plumbline(['ingest', ...on, '--open', '--import-id', 'book', file], { env });
    const random = createPrng(SEED, 'kills');
    for (let i = 0; i < KILLS; i++) {
      await sleep(300 + random.next() * 1_500);
      const index = i % WORKERS;
      const killed = workers[index] as RunningProcessor;
      killed.child.kill('SIGKILL');
      await killed.ended;
      workers[index] = await startProcessor(join(scratch.path, `w${index}`), on, env);
    }
    expect((await ingested).code).toBe(0);

    const outside = await openKafkaLog({
      settings: { brokers: cluster.brokers, clientId: 'plumbline-test' },
      prefix,
      topics: layouts.map(({ name }) => name),
      directory: join(scratch.path, 'outside'),
      stateTopicOf: (input) => stateTopicOf(topics, input),
    });
    await until('everything is answered', async () => totalLag(await lagOf(outside, topics)) === 0, 100_000);
    // People read the same over any wire.
    const told = await plumbline(['postures', ...on, '--format', 'ndjson', '--limit', '1'], { env });
    expect(JSON.parse(told.stdout)).toMatchObject({
      to: expect.any(String),
      result: expect.stringMatching(/^sha256:/),
    });
    for (const { child, ended } of workers) {
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
    const wire =
      registryUrl === null ? jsonWire : await connectWire(connectRegistry({ url: registryUrl }), topics, contracts);
    const results = (await recordsOf(jsonView(outside, topics, wire), topics.results)).map(textsOf);
    expect(results.flat().length).toBeGreaterThan(2_000);
    expect((await recordsOf(outside, topics.deadLetters)).flat()).toEqual([]);
    expect(results.map(withoutOffsets)).toEqual((await rescore(outside, topics, wire)).map(withoutOffsets));
    await outside.close();
  });
});
