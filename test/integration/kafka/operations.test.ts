import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { deadLetterRecord } from '../../../producers/dead-letters.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { intakeHeaders } from '../../../src/ingest/headers.ts';
import type { Log, NewRecord } from '../../../src/log/port.ts';
import { stateTopicOf } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, stagesNobodyRuns, totalLag } from '../../../src/runtime/lag.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { plumbline, scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { type Installation, installOn } from '../../support/kafka-installation.ts';
import { recordsOf, rescore, textsOf, withoutOffsets } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka();
const PARTITIONS = 2;
const sets = shippedSets();

describe.skipIf(reason !== null)(`operating Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  /** Topics of their own with the sets that ship, and a log beside the workers'. */
  async function install() {
    const installation = await installOn(cluster.brokers, scratch.path, PARTITIONS);
    const { topics, prefix } = installation;
    const outside = await installation.open();
    await activateSets(outside, topics, await followControl(outside, topics, compile), sets, { at: 0, by: 'test' });
    const on = ['--log', 'kafka', '--brokers', cluster.brokers.join(','), '--prefix', prefix];
    const env = { PLUMBLINE_KAFKA_REPLICATION: '1', PLUMBLINE_KAFKA_PARTITIONS: String(PARTITIONS) };
    const command = (...args: string[]) => plumbline([...args, ...on, '--data-dir', scratch.path], { env });
    return { ...installation, outside, command };
  }

  async function work({ open, topics }: Installation, takes: (stage: string) => boolean = () => true) {
    const log = await open();
    const worker = await workOn(log, topics, { takes: ({ stage }) => takes(stage) });
    return {
      health: worker.health,
      async stop() {
        await worker.stop(20_000);
        await log.close();
      },
    };
  }

  const lagIn = async (log: Log, { topics }: Installation, stage = ''): Promise<number> =>
    totalLag((await lagOf(log, topics)).filter(({ task }) => task.startsWith(stage)));
  const change = ({ topics }: Installation, entity: 'deal' | 'account', id: string, fields: object, version = 1) =>
    changeRecord(
      topics,
      { entity, id },
      JSON.stringify({
        event_id: `${id}-${version}`,
        entity,
        id,
        version: String(version),
        changed_at: '2026-03-01T00:00:00Z',
        op: 'upsert',
        fields,
      }),
      { kind: 'live', atMs: Date.now() },
    );
  const resultsOf = async (log: Log, { topics }: Installation, id: string): Promise<readonly Result[]> =>
    (await recordsOf(log, topics.results))
      .flatMap(textsOf)
      .map((text) => JSON.parse(text) as Result)
      .filter((result) => result.id === id);

  it('one worker ingests, another scores, and what nobody runs waits', async () => {
    const installation = await install();
    const { topics, outside } = installation;
    expect(await stagesNobodyRuns(outside, topics)).toEqual(['ingest', 'score', 'control']);
    const changes = [...generateBook({ seed: 17, until: Date.UTC(2026, 6, 1), accounts: 10, deals: 60 })].map((one) =>
      changeRecord(topics, one, encodeChange(one, contracts), { kind: 'import', importId: 'book' }),
    );
    const half = changes.length >> 1;
    await outside.append(changes.slice(0, half));
    const ingesting = await work(installation, (stage) => stage === 'ingest');
    await until('the first half is ingested', async () => (await lagIn(outside, installation, 'ingest')) === 0);
    expect(await lagIn(outside, installation, 'score')).toBeGreaterThan(half);
    expect(await stagesNobodyRuns(outside, topics)).toEqual(['score', 'control']);
    expect(ingesting.health.report().posture).toBe('nominal');

    const scoring = await work(installation, (stage) => stage !== 'ingest');
    await outside.append(changes.slice(half));
    await until('everything is answered', async () => (await lagIn(outside, installation)) === 0);
    expect(await stagesNobodyRuns(outside, topics)).toEqual([]);
    const results = (await recordsOf(outside, topics.results)).map(textsOf);
    expect(results.map(withoutOffsets)).toEqual((await rescore(outside, topics)).map(withoutOffsets));

    await ingesting.stop();
    await until('the group knows', async () => (await stagesNobodyRuns(outside, topics)).join() === 'ingest');
    await scoring.stop();
    await outside.close();
  });

  it('dead letters are chosen, redriven in bulk, and answered once however often', async () => {
    const installation = await install();
    const { topics, outside, command } = installation;
    const letter = (record: NewRecord, code: string, failed?: { readonly set: string; readonly id: string }) =>
      deadLetterRecord(
        topics,
        { ...record, headers: intakeHeaders({ kind: 'live', atMs: Date.now() }) },
        {
          from: { topic: failed ? topics.images : record.topic, partition: 0, offset: 99 },
          stage: failed ? 'score' : 'ingest',
          code,
          message: 'as left by a contract or a set that has been mended since',
          ...(failed ? { failed: { entity: 'deal', setVersion: '1', ...failed } } : {}),
        },
      );
    const d2 = change(installation, 'deal', 'D2', { stage: 'proposal' });
    await outside.append([
      change(installation, 'deal', 'D1', { stage: 'proposal', nobodys_field: 1 }),
      { topic: topics.accountChanges, key: 'A1', value: Buffer.from('broken'), headers: {} },
      d2,
      letter(change(installation, 'deal', 'D3', { stage: 'won' }), 'PLB-FIELD-TYPE'),
      letter(d2, 'PLB-FAULT-COST', { id: 'D2', set: 'deal-desk' }),
      letter(d2, 'PLB-FAULT-COST', { id: 'D2', set: 'pipeline-hygiene' }),
    ]);
    const worker = await work(installation);
    const list = async (...args: string[]) =>
      (await command('dead-letters', 'list', '--format', 'ndjson', ...args)).stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { key: string; code: string; state: string; failed?: { set: string } });
    const keys = async (...args: string[]) => (await list(...args)).map(({ key }) => key).sort();
    await until('all letters are there', async () => (await list()).length === 5);

    expect(await keys('--topic', topics.accountChanges)).toEqual(['A1']);
    expect(await keys('--set', 'deal-desk')).toEqual(['D2']);
    expect(await keys('--code', 'PLB-FIELD-UNKNOWN')).toEqual(['D1']);
    expect(await keys('--key', 'D2', '--state', 'open')).toEqual(['D2', 'D2']);
    expect(await keys('--since', '2100-01-01T00:00:00Z')).toEqual([]);
    expect(await keys('--until', '2000-01-01T00:00:00Z')).toEqual([]);
    expect((await command('dead-letters', 'list', '--since', 'monday')).stderr).toContain('PLB-FILTER');

    const redrive = async (...args: string[]) => (await command('dead-letters', 'redrive', ...args)).stdout;
    expect(await redrive('--all', '--set', 'deal-desk', '--dry-run')).toMatch(
      /PLB-FAULT-COST.*\n1 would be tried again/,
    );
    expect(await keys('--state', 'open')).toEqual(['A1', 'D1', 'D2', 'D2', 'D3']);
    expect(await redrive('--all', '--set', 'deal-desk')).toBe('1 is tried again\n');
    expect(await redrive('--all', '--set', 'deal-desk')).toBe('0 are tried again\n');
    expect(await redrive('--all', '--code', 'PLB-FIELD-TYPE')).toBe('1 is tried again\n');
    expect(await redrive('--all', '--code', 'PLB-FIELD-TYPE')).toBe('0 are tried again\n');
    // By its id whatever its state: it is taken once.
    const [sound] = (await list('--code', 'PLB-FIELD-TYPE')) as unknown as { id: string }[];
    expect(await redrive(sound?.id ?? '')).toBe('1 is tried again\n');
    expect(await redrive('--all')).toBe('3 are tried again\n');
    // What fails for good has a new letter, which stands for the old one.
    await until('both fail again', async () => (await list()).length === 7);
    await until('all is settled', async () => (await lagIn(outside, installation)) === 0);
    expect(await keys('--state', 'open')).toEqual(['A1', 'D1']);
    expect(await keys('--state', 'superseded')).toEqual(['A1', 'D1']);
    expect(await keys('--state', 'redriven')).toEqual(['D2', 'D2', 'D3']);

    const causes = async (id: string) =>
      (await resultsOf(outside, installation, id)).map(({ set, cause }) => `${set} ${cause.kind}`).sort();
    const rescored = ['deal-desk change', 'deal-desk redrive', 'pipeline-hygiene change', 'pipeline-hygiene redrive'];
    await until('D2 is rescored', async () => (await causes('D2')).length === 4);
    expect(await causes('D2')).toEqual(rescored);
    expect(await causes('D3')).toEqual(['deal-desk change', 'pipeline-hygiene change']);
    await worker.stop();
    await outside.close();
  });

  it('an entity is erased from the states while nothing runs, and starts anew with its next change', async () => {
    const installation = await install();
    const { topics, outside, command } = installation;
    const first = await work(installation);
    const name = 'Secretive Ltd';
    await outside.append([
      change(installation, 'account', 'A1', { name }),
      change(installation, 'deal', 'D1', { stage: 'proposal', name, amount: 1_000 }),
      change(installation, 'deal', 'D2', { stage: 'proposal', amount: 1_000 }),
    ]);
    await until('both are scored', async () => (await resultsOf(outside, installation, 'D1')).length > 0);
    await until('all is settled', async () => (await lagIn(outside, installation)) === 0);
    const erase = (...args: string[]) => command('erase', '--entity', 'deal', '--id', 'D1', ...args);
    expect(await erase()).toMatchObject({ code: 3, stderr: expect.stringContaining('PLB-CLI-RUNNING') });
    await first.stop();

    expect((await erase('--dry-run')).stdout).toContain('would be removed from the state of: ingest, score\n');
    const erased = await erase();
    expect(erased).toMatchObject({ code: 0, stderr: '' });
    expect(erased.stdout).toContain('removed from the state of: ingest, score\n');
    expect(erased.stdout).toContain(`  ${topics.dealChanges}: 37 days\n  ${topics.images}: 97 days\n`);
    expect(erased.stdout).toContain('state-score: 1 day\n');
    expect((await erase()).stdout).toContain('no state knows deal D1\n');
    // What compaction leaves of each changelog has nothing of it, and all of the others.
    for (const [stage, topic] of [
      ['ingest', topics.dealChanges],
      ['score', topics.images],
    ] as const) {
      const last = new Map<string | null, string | null>();
      for (const record of (await recordsOf(outside, stateTopicOf(topics, { stage, topic }))).flat())
        last.set(record.key, record.value === null ? null : Buffer.from(record.value).toString());
      const left = [...last].filter(([, value]) => value !== null);
      expect(left.filter(([key, value]) => `${key} ${value}`.includes('\u0001D1'))).toEqual([]);
      expect(left.some(([key]) => key?.endsWith('\u0001D2'))).toBe(true);
      if (stage === 'ingest') expect(JSON.stringify(left)).not.toContain(name);
    }

    const second = await work(installation);
    await outside.append([change(installation, 'deal', 'D1', { stage: 'won' }, 1)]);
    await until('it is scored anew', async () =>
      (await resultsOf(outside, installation, 'D1')).some(({ previous_posture, evidence }) => {
        const deal = (evidence as { deal: { stage?: string; amount?: number | null } }).deal;
        return previous_posture === null && deal.stage === 'won';
      }),
    );
    expect(second.health.report()).toMatchObject({ posture: 'nominal' });
    expect(second.health.report().counters['tasks.torn']).toBeUndefined();
    // While what ingest gave is not scored, erasing would be undone.
    await second.stop();
    const ingesting = await work(installation, (stage) => stage === 'ingest');
    await outside.append([change(installation, 'deal', 'D1', { stage: 'lost' }, 2)]);
    await until('it is ingested', async () => (await lagIn(outside, installation, 'ingest')) === 0);
    await ingesting.stop();
    expect(await erase()).toMatchObject({ code: 3, stderr: expect.stringContaining('PLB-CLI-LAG') });
    await outside.close();
  });
});
