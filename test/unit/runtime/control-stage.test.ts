import { beforeEach, describe, expect, it } from 'vitest';
import { decodeAnswered } from '../../../consumers/audit.ts';
import { decodeFact } from '../../../consumers/control.ts';
import { factRecord } from '../../../producers/control.ts';
import { requestRecord } from '../../../producers/requests.ts';
import { setRecord } from '../../../producers/sets.ts';
import type { Log } from '../../../src/log/port.ts';
import type { TornPart } from '../../../src/log/simulated/faults.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { appendTo, createStorage, recordsIn, type Storage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { DEFAULT_POLICY } from '../../../src/rollout/policy.ts';
import type { Request } from '../../../src/rollout/request.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { controlStage } from '../../../src/runtime/control-stage.ts';
import { createHealth, type Health } from '../../../src/runtime/health.ts';
import { openTask, type Task } from '../../../src/runtime/task.ts';
import { fakeSet } from '../../simulation/fake-set.ts';

const topics = topicNames();
const PARTITIONS = 1;

describe('the control stage', () => {
  let storage: Storage;
  let health: Health;
  let tear: TornPart | null;
  /** So many of the next reads of the control log see so many facts at most. */
  let veiled: { reads: number; readonly facts: number };
  let beforeCommit: () => void;
  let log: Log;
  beforeEach(async () => {
    storage = createStorage(topicSpecs(topics, PARTITIONS));
    health = createHealth();
    tear = null;
    veiled = { reads: 0, facts: 0 };
    beforeCommit = () => {};
    log = openSimulatedLog(storage, {
      clock: () => 1_000,
      faults: {
        tear: () => tear,
        beforeCommit: () => {
          beforeCommit();
          return 'ok';
        },
      },
    });
    for (const version of ['1', '2', '3']) await log.append([setRecord(topics, { version, name: 's', document: '' })]);
    await log.append([activation('1')]);
  });

  const activation = (version: string) => factRecord(topics, { kind: 'activated', set: 's', version, at: 1, by: 'x' });
  const ask = (request: Request) => log.append([requestRecord(topics, request)]);
  const propose = (id: string, version: string) =>
    ask({ kind: 'propose', id, at: 1, by: 'ann', set: 's', version, moves: [] });
  const signal = (controlOffset: number, count: number): Request => ({
    kind: 'signal',
    set: null,
    id: `signal ${count}`,
    at: 1,
    by: 'score/plumbline.images/0',
    controlOffset,
    isBusy: false,
    sweeps: {},
    accounts: null,
    tallies: {},
    faults: { s: { version: '1', count } },
  });
  const told = () =>
    recordsIn(storage, topics.control, 0)
      .map((record) => decodeFact(record))
      .flatMap((fact) => (fact.kind === 'other' ? [] : [`${fact.kind} ${'version' in fact ? fact.version : ''}`]));
  const answers = () =>
    recordsIn(storage, topics.audit, 0)
      .map((record) => decodeAnswered(record))
      .map(({ request, outcome }) => `${request} ${outcome}`);

  async function open(): Promise<Task> {
    const short: Log = {
      ...log,
      read: async (topic, ...where) => {
        const read = await log.read(topic, ...where);
        return topic === topics.control && veiled.reads-- > 0
          ? read.filter(({ offset }) => offset < veiled.facts)
          : read;
      },
    };
    const control = await followControl(short, topics, ({ version }) => fakeSet('s', 'deal', version));
    const policy = { ...DEFAULT_POLICY, activeFaults: 5 };
    const make = (of: Health) =>
      controlStage({ topics, control, policy, health: of, partitionsOf: (topic) => log.partitionsOf(topic) });
    let left = 50;
    const sleep = async () => {
      if (--left < 0) throw new Error('it waits for ever');
    };
    const patience = { sleep, random: () => 0, health, isStopping: () => false };
    return openTask(make(health), () => make(createHealth()), { log, control, clock: () => 1_000, patience });
  }

  async function run(task: Task): Promise<void> {
    while (await task.runOnce());
  }

  it('waits for its own facts, also where somebody else has put one between them', async () => {
    const task = await open();
    await propose('r1', '2');
    await propose('r2', '2');
    beforeCommit = () => appendTo(storage, [activation('1')], 1);
    await task.runOnce();
    beforeCommit = () => {};
    veiled = { reads: 4, facts: 2 };
    await run(task);
    expect(answers()).toEqual(['r1 accepted', 'r2 accepted']);
    expect(recordsIn(storage, topics.control, 0).map((record) => decodeFact(record))).toMatchObject([
      {},
      {},
      { request: 'r1', seal: { seen: 1 } },
      { request: 'r2', seal: { seen: 3 } },
    ]);
  });

  it('passes over what a task told before, though it arrives after', async () => {
    const task = await open();
    for (const told of [signal(1, 4), signal(1, 2), signal(0, 9)]) await ask(told);
    await run(task);
    expect(health.report().counters['control.late_signals']).toBe(2);
    await ask(signal(1, 5));
    await run(task);
    expect(told()).toEqual(['activated 1', 'stopped ']);
  });

  it('keeps nothing of a signal that cannot be counted, and hears the next', async () => {
    const on = { set: 's', version: '2', at: 1, by: 'x' };
    await log.append(
      [
        { ...on, kind: 'proposed', baseline: '1', moves: [] } as const,
        { ...on, kind: 'validated', evidence: 'e', verdict: 'pass' } as const,
        { ...on, kind: 'approved', baseline: '1', evidence: 'e', role: 'r', key: 'k', expiresAt: 2_000 } as const,
        { ...on, kind: 'shadowed' } as const,
      ].map((fact) => factRecord(topics, fact)),
    );
    const task = await open();
    const senseless = [
      { ...signal(5, 4), tallies: { s: { version: '2' } } },
      { ...signal(5, 4), faults: { s: null } },
      { ...signal(5, 4), sweeps: { s: { done: -1, of: 'all' } } },
    ] as unknown as readonly Request[];
    for (const one of [...senseless, signal(5, 5)]) await ask(one);
    await run(task);
    expect(recordsIn(storage, topics.deadLetters, 0)).toHaveLength(3);
    expect(told().slice(5)).toEqual(['stopped ']);
  });

  it('hears tasks alone', async () => {
    const task = await open();
    for (const by of ['else', 'score/plumbline.images/1']) await ask({ ...signal(1, 9), by } as Request);
    await run(task);
    expect(told()).toEqual(['activated 1']);
    expect(health.report().counters['control.unknown_signals']).toBe(2);
    await ask(signal(1, 9));
    await run(task);
    expect(told()).toEqual(['activated 1', 'stopped ']);
  });

  it('says what comes next with each answer, and what stands against it', async () => {
    const task = await open();
    await propose('r1', '2');
    await ask({ kind: 'freeze', id: 'r2', at: 1, by: 'cy', set: 's' });
    await ask({ kind: 'freeze', id: 'r3', at: 1, by: 'cy', set: 'else' });
    await run(task);
    const messages = recordsIn(storage, topics.audit, 0).map((record) => decodeAnswered(record).message);
    expect(messages).toEqual([
      'version 2 is proposed against 1; next: plumbline validate s',
      '`s` is frozen: no rollout begins or goes on; next: plumbline unfreeze s, when rollouts may go on',
      'there is no set `else`',
    ]);
  });

  it.each(['state', 'position', 'outputs'] as const)(
    'mends a commit whose %s was lost, deciding nothing twice',
    async (part) => {
      let task = await open();
      await propose('r1', '1');
      await propose('r2', '2');
      await run(task);
      // Refused when it came: it would be accepted now.
      await ask({ kind: 'freeze', id: 'r3', at: 1, by: 'ann', set: null });
      await propose('r4', '3');
      await ask({ kind: 'unfreeze', id: 'r5', at: 1, by: 'ann', set: null });
      await run(task);
      tear = part;
      await propose('r6', '3');
      await expect(run(task)).rejects.toThrow('torn');
      tear = null;
      task = await open();
      await propose('r6', '3');
      await propose('r7', '2');
      await run(task);
      const accepted = ['r2', 'r3', 'r5', 'r6', 'r7'].map((id) => `${id} accepted`);
      expect(answers().sort()).toEqual([...accepted, 'r1 refused', 'r4 refused'].sort());
      expect(told()).toEqual(['activated 1', 'proposed 2', 'frozen ', 'unfrozen ', 'proposed 3', 'proposed 2']);
    },
  );
});
