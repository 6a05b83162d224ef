import { beforeEach, describe, expect, it } from 'vitest';
import { factRecord } from '../../../producers/control.ts';
import { setRecord } from '../../../producers/sets.ts';
import type { CompiledSet } from '../../../src/compiler/compile.ts';
import { PlumblineError } from '../../../src/errors.ts';
import type { Log } from '../../../src/log/port.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { fakeSet } from '../../simulation/fake-set.ts';

const topics = topicNames();

describe('followControl', () => {
  let log: Log;
  beforeEach(() => {
    log = openSimulatedLog(createStorage(topicSpecs(topics)), { clock: () => 0 });
  });
  const compile = ({ name, version }: { readonly name: string; readonly version: string }) => {
    if (version === 'bad') throw new PlumblineError('PLB-TEST', 'does not compile');
    return fakeSet(name, name.startsWith('a') ? 'account' : 'deal', version);
  };
  async function fact(kind: 'activated' | 'rolled_back', set: string, version: string, hasDocument = true) {
    if (hasDocument) await log.append([setRecord(topics, { version, name: set, document: '' })]);
    await log.append([factRecord(topics, { kind, set, version, at: 1, by: 'test' })]);
  }
  const told = (view: ReturnType<Awaited<ReturnType<typeof followControl>>['viewAt']>) =>
    [...view.sets.deal, ...view.sets.account].map(
      ({ active, fallback }) => `${active.name} ${active.version}/${fallback?.version ?? '-'}`,
    );

  it('says what was active as of each fact', async () => {
    await fact('activated', 'd', '1');
    await fact('activated', 'acc', '7');
    await fact('activated', 'd', '2');
    const control = await followControl(log, topics, compile);
    expect([0, 1, 2, 3].map((offset) => told(control.viewAt(offset)))).toEqual([
      [],
      ['d 1/-'],
      ['d 1/-', 'acc 7/-'],
      ['d 2/1', 'acc 7/-'],
    ]);
    await fact('activated', 'd', '3');
    await fact('rolled_back', 'd', '2');
    await Promise.all([control.refresh(), control.refresh()]);
    expect(control.offset).toBe(5);
    expect(told(control.viewAt(4))).toEqual(['d 3/2', 'acc 7/-']);
    expect(told(control.viewAt(5))).toEqual(['d 2/1', 'acc 7/-']);
    expect(control.viewAt(5)).toBe(control.viewAt(5));
  });

  it('reads the documents of facts that it has read before a read failed', async () => {
    let reads = 0;
    const failing: Log = {
      ...log,
      read: async (...where) => {
        if (++reads === 3) throw new PlumblineError('PLB-LOG-UNAVAILABLE', 'planted', { retryable: true });
        return log.read(...where);
      },
    };
    const control = await followControl(failing, topics, compile);
    await fact('activated', 'd', '1');
    await expect(control.refresh()).rejects.toThrow('planted');
    await control.refresh();
    expect(told(control.viewAt(1))).toEqual(['d 1/-']);
  });

  it('takes a retired set out of the view, with what was active before it', async () => {
    await fact('activated', 'd', '1');
    await fact('activated', 'd', '2');
    await log.append([factRecord(topics, { kind: 'retired', set: 'd', at: 1, by: 'test' })]);
    await fact('activated', 'd', '2');
    const control = await followControl(log, topics, compile);
    expect([2, 3, 4].map((offset) => told(control.viewAt(offset)))).toEqual([['d 2/1'], [], ['d 2/-']]);
    expect([...control.active()]).toEqual([['d', '2']]);
  });

  it('retires what is active and not given, though its document no longer compiles', async () => {
    await fact('activated', 'd', 'bad');
    await fact('activated', 'e', '1');
    const control = await followControl(log, topics, compile);
    const given = [fakeSet('e', 'deal', '1'), { ...fakeSet('f', 'deal', '1'), checked: { text: '' } }] as CompiledSet[];
    const done = await activateSets(log, topics, control, given, { at: 1, by: 'test' });
    expect([done.activated.map(({ name }) => name), done.retired]).toEqual([['f'], ['d']]);
    await control.refresh();
    expect([...control.active()]).toEqual([
      ['e', '1'],
      ['f', '1'],
    ]);
  });

  it('waits for what it has not read, and names what is missing', async () => {
    const control = await followControl(log, topics, compile);
    expect(() => control.viewAt(1)).toThrow(expect.objectContaining({ code: 'PLB-CONTROL-BEHIND', retryable: true }));
    await fact('activated', 'd', '1', false);
    await control.refresh();
    expect(() => control.viewAt(1)).toThrow(expect.objectContaining({ code: 'PLB-SET-MISSING' }));
  });

  it('goes without a fallback that no longer compiles, but not without an active set', async () => {
    await fact('activated', 'd', 'bad');
    await fact('activated', 'd', '2');
    const control = await followControl(log, topics, compile);
    expect(told(control.viewAt(2))).toEqual(['d 2/-']);
    expect(() => control.viewAt(1)).toThrow(expect.objectContaining({ code: 'PLB-TEST' }));
  });

  it('passes facts of other kinds, and refuses one that it cannot read', async () => {
    const other = (json: object) =>
      log.append([{ topic: topics.control, key: 'd', value: Buffer.from(JSON.stringify(json)), headers: {} }]);
    await other({ kind: 'of-a-later-version', set: 'd' });
    const control = await followControl(log, topics, compile);
    expect([control.offset, told(control.viewAt(1))]).toEqual([1, []]);
    await other({ kind: 'activated', set: 'd' });
    await expect(control.refresh()).rejects.toMatchObject({ code: 'PLB-CONTROL-DECODE' });
  });
});
