import { beforeAll, describe, expect, it } from 'vitest';
import { factRecord } from '../../../producers/control.ts';
import { setRecord } from '../../../producers/sets.ts';
import type { LogRecord } from '../../../src/log/port.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { lagOf, taskInputs, totalLag } from '../../../src/runtime/lag.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import { inputsOf } from '../../faults/feed.ts';
import { brokenInvariants, type Evidence } from '../../faults/invariants.ts';
import { chanceOf } from '../../simulation/prng.ts';
import { until } from '../../support/cli.ts';
import { recordsOf, rescoreRecords } from '../../support/rescore.ts';
import { contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const PARTITIONS = 4;
const topics = topicNames();
const sets = shippedSets();
const names = (evidence: Evidence): readonly string[] =>
  brokenInvariants(evidence).map((what) => what.slice(0, what.indexOf(':')));

/** A run without faults, as a witness would find it. */
async function cleanRun(): Promise<Evidence> {
  const storage = createStorage(topicSpecs(topics, PARTITIONS));
  const log = openSimulatedLog(storage, { clock: Date.now });
  await log.append(
    sets.map(({ version, name, checked }) => setRecord(topics, { version, name, document: checked.text })),
  );
  await log.append(
    sets.map(({ version, name }) => factRecord(topics, { kind: 'activated', set: name, version, at: 0, by: 'test' })),
  );
  const parts = { topics, contracts, wire: jsonWire, partitions: PARTITIONS };
  await log.append(inputsOf(parts, 5, { accounts: 10, deals: 60 }, chanceOf(5)));
  const worker = await workOn(log, topics);
  await until('all is answered', async () => totalLag(await lagOf(log, topics)) === 0);
  await worker.stop(10_000);
  const records = new Map<string, readonly (readonly LogRecord[])[]>();
  for (const { name } of topicSpecs(topics, PARTITIONS)) records.set(name, await recordsOf(log, name));
  const all = (topic: string) => (records.get(topic) ?? []).flat();
  const scorable = { sets: all(topics.sets), control: all(topics.control), images: all(topics.images) };
  return {
    ...parts,
    sets,
    records,
    aborted: 0,
    open: 0,
    ends: [],
    rescored: await rescoreRecords(scorable, topics, PARTITIONS),
    tasks: taskInputs(log, topics).map((input) => {
      const { position = 0, state = new Map<string, string>() } =
        storage.tasks.get(`${input.stage}/${input.topic}/${input.partition}`) ?? {};
      const entries = [...state, ['', JSON.stringify([1, position])] as const];
      return {
        ...input,
        changelog: entries.map(([key, value], offset) => ({
          topic: 'state',
          partition: input.partition,
          offset,
          key,
          value: Buffer.from(value),
          headers: {},
          timestampMs: 0,
        })),
        committed: { offset: position, metadata: '1 holder' },
      };
    }),
  };
}

type Change = (records: readonly LogRecord[]) => readonly LogRecord[];

/** The longest partition of a topic, changed. */
function tampered(evidence: Evidence, topic: string, change: Change): Evidence {
  const partitions = evidence.records.get(topic) ?? [];
  const longest = partitions.toSorted((a, b) => b.length - a.length)[0];
  const changed = partitions.map((records) => (records === longest ? change(records) : records));
  return { ...evidence, records: new Map([...evidence.records, [topic, changed]]) };
}

const without: Change = (records) => records.toSpliced(3, 1);
const twice: Change = (records) => [
  ...records,
  ...records.slice(-1).map((last) => ({ ...last, offset: last.offset + 2 })),
];
const backwards: Change = (records) => records.toReversed();
const forged: Change = (records) =>
  records.with(3, {
    ...(records[3] as LogRecord),
    value: Buffer.from(String(records[3]?.value ?? '').replace(/"score":[\d.]+/, '"score":12.34')),
  });

describe('the checks of a run', () => {
  let evidence: Evidence;
  beforeAll(async () => {
    evidence = await cleanRun();
  });

  it('find nothing where nothing is wrong', () => {
    expect(brokenInvariants(evidence)).toEqual([]);
  });

  it.each<readonly [string, string, Change, readonly string[]]>([
    ['a lost result', topics.results, without, ['one-answer']],
    ['a result that is there twice', topics.results, twice, ['one-answer']],
    ['results in another order', topics.results, backwards, ['key-order']],
    ['a result that nothing gives', topics.results, forged, ['reproducible']],
    ['a lost image', topics.images, without, ['one-answer', 'chain']],
    ['an image that is there twice', topics.images, twice, ['one-answer']],
    ['a lost posture change', topics.postures, without, ['one-answer']],
    ['a lost dead letter', topics.deadLetters, (records) => records.slice(1), ['one-answer']],
    ['a dead letter that is there twice', topics.deadLetters, twice, ['one-answer']],
    ['an input that was passed over', topics.dealChanges, twice, ['one-answer']],
  ])('find %s', (_, topic, change, breaks) => {
    expect(names(tampered(evidence, topic, change))).toEqual(expect.arrayContaining([...breaks]));
  });

  const withTask = (change: (task: Evidence['tasks'][number]) => Partial<Evidence['tasks'][number]>): Evidence => ({
    ...evidence,
    tasks: evidence.tasks.map((task, index) => (index === 0 ? { ...task, ...change(task) } : task)),
  });

  it('find offsets and states that don’t belong together', () => {
    expect(names(withTask(() => ({ committed: { offset: 0, metadata: '9 holder' } })))).toContain('standing');
    expect(names(withTask(() => ({ committed: null })))).toContain('standing');
    expect(names(withTask(({ changelog }) => ({ changelog: [...changelog, ...changelog.slice(-1)] })))).toContain(
      'standing',
    );
    expect(names(withTask(({ changelog }) => ({ changelog: changelog.slice(5) })))).toContain('state');
  });

  it('find a transaction that is open', () => {
    const end = { topic: topics.results, partition: 0, stable: 7, high: 9 };
    expect(names({ ...evidence, ends: [end] })).toEqual(['no-open-transaction']);
    expect(names({ ...evidence, open: 2 })).toEqual(['no-open-transaction']);
  });
});
