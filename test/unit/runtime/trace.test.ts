import { beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { partitionOf } from '../../../src/log/partitioner.ts';
import type { Headers, LogRecord } from '../../../src/log/port.ts';
import { activate } from '../../integration/runtime/activate.ts';
import { chanceOf } from '../../simulation/prng.ts';
import { createWorld, PARTITIONS, topics, type World } from '../../simulation/world.ts';

const SENT_AT = 1_000_000_000_000;
const DEALS = 9;

const traceOf = (name: string): Headers => ({
  traceparent: `00-${name.repeat(32)}-b7ad6b7169203331-01`,
  tracestate: `name=${name}`,
});

function change(entity: 'deal' | 'account', id: string, version: number, fields: object, more: object = {}) {
  const json = {
    event_id: `e-${id}-${version}`,
    entity,
    id,
    version: String(version),
    changed_at: '2001-09-09T01:46:40Z',
    op: 'upsert',
    fields,
    ...more,
  };
  return changeRecord(topics, { entity, id }, JSON.stringify(json), { kind: 'live', atMs: SENT_AT });
}

/** What the control log holds has the real time in it. */
const COMPARED = [
  topics.dealChanges,
  topics.accountChanges,
  topics.images,
  topics.results,
  topics.postures,
  topics.deadLetters,
];

const inAccount = { account_id: 'A1' };

/** Runs one history, with or without trace context on some of its changes. */
async function run(trace: (name: string) => Headers): Promise<World> {
  const world = createWorld(chanceOf(1), { rate: 0 });
  world.now = SENT_AT;
  await activate(world.outside, ['a-desk', 'a-hygiene', 'a-renewal']);
  const settle = async (): Promise<void> => {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const name of world.names) if (await world.turn(name)) isBusy = true;
    }
  };
  const send = async (record: ReturnType<typeof change>, name?: string, more: object = {}): Promise<void> => {
    const headers = name === undefined ? record.headers : { ...record.headers, ...trace(name) };
    await world.outside.append([{ ...record, headers, ...more }]);
    await settle();
  };
  await send(change('account', 'A1', 1, { employees: 10 }));
  for (let i = 0; i < DEALS; i++) await send(change('deal', `D${i}`, 1, { stage: 'won', amount: 1 }, inAccount));
  await send(change('deal', 'D1', 2, { amount: 5 }), 'a');
  await send(change('account', 'A1', 2, { employees: 11 }), 'b');
  await send(change('deal', 'D2', 2, { amount: 3 }));
  await send({ ...change('deal', 'D3', 2, {}), value: Buffer.from(BROKEN) }, 'c');
  await send(change('deal', 'D4', 2, { amount: 8 }), 'd');
  const wrong = (partitionOf('D5', PARTITIONS) + 1) % PARTITIONS;
  await send(change('deal', 'D5', 2, { amount: 4 }), 'e', { partition: wrong });
  return world;
}

const recordsOn = ({ storage }: World, topic: string): readonly LogRecord[] => (storage.topics.get(topic) ?? []).flat();

const BROKEN = '{"broken';
const json = ({ value }: LogRecord) => {
  const text = Buffer.from(value ?? []).toString('utf8');
  return text === BROKEN ? {} : JSON.parse(text);
};

describe('trace context', () => {
  let traced: World;
  let untraced: World;
  beforeAll(async () => {
    traced = await run(traceOf);
    untraced = await run(() => ({}));
  });

  const tracesOf = (topic: string, isMeant: (value: ReturnType<typeof json>) => boolean): readonly Headers[] =>
    recordsOn(traced, topic)
      .filter((record) => isMeant(json(record)))
      .map(({ headers: { traceparent, tracestate } }) => ({
        ...(traceparent === undefined ? {} : { traceparent }),
        ...(tracestate === undefined ? {} : { tracestate }),
      }));

  it('goes from a change to its image, its results and its posture changes', () => {
    const isOf = (id: string, seq: number) => (value: { id: string; image_seq?: number; imageSeq?: number }) =>
      value.id === id && (value.image_seq ?? value.imageSeq) === seq;
    expect(tracesOf(topics.images, isOf('D1', 2))).toEqual([traceOf('a')]);
    const results = tracesOf(topics.results, ({ cause }) => cause.event_id === 'e-D1-2');
    expect(results).toEqual([traceOf('a'), traceOf('a')]);
    const postures = tracesOf(topics.postures, ({ cause }) => cause.event_id === 'e-D1-2');
    expect(postures.length).toBeGreaterThan(0);
    expect(new Set(postures.map(({ traceparent }) => traceparent))).toEqual(new Set([traceOf('a').traceparent]));
  });

  it('stays with a fan-out through all of its commits, and ends with it', () => {
    const fanOut = tracesOf(
      topics.results,
      ({ cause }) => cause.kind === 'account_change' && cause.event_id === 'e-A1-2',
    );
    expect(fanOut).toEqual(Array.from({ length: fanOut.length }, () => traceOf('b')));
    expect(fanOut.length).toBeGreaterThanOrEqual(DEALS);
    expect(tracesOf(topics.results, ({ cause }) => cause.event_id === 'e-D2-2')).toEqual([{}, {}]);
    for (const task of traced.storage.tasks.values()) expect(task.state.get('jt')).toBeUndefined();
  });

  it('goes with a record that is moved to its partition', () => {
    const changes = tracesOf(topics.dealChanges, (value) => value.event_id === 'e-D5-2');
    expect(changes).toEqual([traceOf('e'), traceOf('e')]);
    expect(tracesOf(topics.results, ({ cause }) => cause.event_id === 'e-D5-2')).toEqual([traceOf('e'), traceOf('e')]);
  });

  it('goes to the dead letters of ingest and of scoring', () => {
    const letters = recordsOn(traced, topics.deadLetters).map(({ headers }) => [
      headers['dead-letter-stage'],
      headers.traceparent,
      headers.tracestate,
    ]);
    const expected = [
      ['ingest', traceOf('c').traceparent, traceOf('c').tracestate],
      ['score', traceOf('d').traceparent, traceOf('d').tracestate],
    ];
    expect(letters).toHaveLength(expected.length);
    expect(letters).toEqual(expect.arrayContaining(expected));
  });

  it('changes no value, key or place, and adds no header where there was none', () => {
    const bare = (world: World, topic: string) =>
      recordsOn(world, topic).map(({ headers, value, ...record }) => {
        const { traceparent: _, tracestate: __, ...others } = headers;
        return { ...record, value: value === null ? null : Buffer.from(value).toString('utf8'), headers: others };
      });
    for (const topic of COMPARED) {
      expect(bare(traced, topic)).toEqual(bare(untraced, topic));
      for (const { headers } of recordsOn(untraced, topic)) expect(headers).not.toHaveProperty('traceparent');
    }
    expect(recordsOn(traced, topics.results).length).toBeGreaterThan(30);
  });
});
