import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeAnswered } from '../../../consumers/audit.ts';
import { openExistingLog, topics } from '../../../src/cli/open-log.ts';
import { plumbline, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';

/** Waivers as a person gives them: by command, beside a running processor. */
describe('a waiver', () => {
  const scratch = scratchDirectory();
  const dataDir = join(scratch.path, 'data');
  let processor: RunningProcessor;

  const run = (args: readonly string[], input = '') => plumbline([...args, '--data-dir', dataDir], { input });
  const said = async (args: readonly string[], input = '') => {
    const { code, stdout, stderr } = await run(args, input);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const refused = async (...args: readonly string[]) => {
    const { code, stderr, stdout } = await run(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    return stderr;
  };
  const lines = (text: string) =>
    text
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const waivers = async (...args: readonly string[]) =>
    lines(await said(['waivers', 'list', '--format', 'ndjson', ...args])).map(({ id, state }) => [id, state]);

  interface Told {
    readonly now: string;
    readonly cause: string;
    readonly outcome: string;
  }
  async function answers(id: string): Promise<readonly Told[]> {
    const results = lines(await said(['results', '--set', 'deal-desk', '--id', id, '--format', 'ndjson']));
    return results.map(({ now, cause, outcomes }) => ({
      now,
      cause: cause.kind,
      outcome: outcomes.find(({ constraint }: { constraint: string }) => constraint === 'discount-in-band').outcome,
    }));
  }
  const outcomes = async (id: string) => (await answers(id)).map(({ cause, outcome }) => `${cause}: ${outcome}`);

  const change = (id: string, version: number, discount: number) =>
    JSON.stringify({
      event_id: `${id}-${version}`,
      entity: 'deal',
      id,
      version: String(version),
      changed_at: '2026-03-01T00:00:00Z',
      op: 'upsert',
      fields: { stage: 'proposal', discount_pct: discount, approvals: [], amount: 100, list_price: 150 },
    });
  const DISCOUNT = ['deal-desk', 'discount-in-band'];

  beforeAll(async () => {
    processor = await startProcessor(dataDir);
    await said(['ingest', '--live', '-'], ['D1', 'D2', 'D3', 'D4'].map((id) => change(id, 7, 35)).join('\n'));
    await until('answers', async () => (await answers('D4')).length === 1);
  });
  afterAll(async () => {
    processor.child.kill('SIGINT');
    await processor.ended;
    scratch.remove();
  });

  test('is refused where the active document does not allow it, and nothing is done for the others', async () => {
    const day = ['--for', '1d'];
    const wrong = async (...args: readonly string[]) => /PLB-[A-Z-]+/.exec(await refused('waive', ...args))?.[0];
    const told = await refused('waive', ...DISCOUNT, 'D1', '--role', 'rep', ...day);
    expect(told).toMatch(
      /^deal-desk@[0-9a-f]{12}:\d+:\d+: error PLB-WAIVER-ROLE: .*\n.*\^{5}.*hint: expected vp-sales, cfo/s,
    );
    expect(await wrong(...DISCOUNT, 'D1', '--role', 'cfo', '--for', '31d')).toBe('PLB-WAIVER-LENGTH');
    expect(await wrong('deal-desk', 'discont', 'D1', '--role', 'cfo', ...day)).toBe('PLB-WAIVER-UNKNOWN');
    expect(await wrong('deal-dsk', 'discount-in-band', 'D1', '--role', 'cfo', ...day)).toBe('PLB-WAIVER-UNKNOWN');
    expect(await wrong(...DISCOUNT, 'D1', 'D9', '--role', 'cfo', ...day)).toBe('PLB-WAIVER-ENTITY');
    expect(await wrong(...DISCOUNT, '--role', 'cfo', ...day)).toBe('PLB-CLI-USAGE');
    expect(await wrong(...DISCOUNT, 'D1', '--role', 'cfo')).toBe('PLB-CLI-USAGE');
    expect((await run(['waive', ...DISCOUNT, 'D1', '--role', 'cfo', '--for', 'ever'])).code).toBe(3);
    expect(await waivers()).toEqual([]);
    expect(await outcomes('D1')).toEqual(['change: violated']);
  });

  test('waives for its time alone: what is over is answered again by itself', async () => {
    const waive = ['waive', ...DISCOUNT, 'D1', '--ids', '-', '--role', 'cfo', '--by', 'Ann', '--for', '4s'];
    const given = JSON.parse(await said([...waive, '--format', 'json'], 'D2\n'));
    expect(given).toMatchObject({ set: 'deal-desk', by: 'Ann', role: 'cfo', entity: 'deal', ids: ['D1', 'D2'] });
    expect(Date.parse(given.until) - Date.parse(given.granted_at)).toBe(4_000);
    await until('both ends', async () => (await answers('D1')).length + (await answers('D2')).length === 6);
    for (const id of ['D1', 'D2']) {
      expect(await outcomes(id)).toEqual(['change: violated', 'change: waived', 'due: violated']);
      expect((await answers(id))[2]?.now).toBe(given.until);
    }
    expect(await waivers()).toEqual([]);
    expect(await waivers('--state', 'over')).toEqual([
      ['D1', 'over'],
      ['D2', 'over'],
    ]);
  });

  test('is listed with what it is worth, and ends when what it was given for changes', async () => {
    await said(['waive', ...DISCOUNT, 'D3', '--role', 'cfo', '--for', '2d']);
    expect(await said(['waive', ...DISCOUNT, 'D4', '--role', 'vp-sales', '--for', '20d'])).toMatch(
      /^`discount-in-band` is waived until \S+Z for 1 deal\n$/,
    );
    await until('the second', async () => (await answers('D4')).length === 2);
    expect(await waivers()).toEqual([
      ['D3', 'in_force'],
      ['D4', 'in_force'],
    ]);
    expect(await waivers('--expiring', '7d')).toEqual([['D3', 'in_force']]);
    expect(await waivers('--id', 'D4', '--entity', 'deal')).toEqual([['D4', 'in_force']]);
    expect(await waivers('--entity', 'account')).toEqual([]);
    expect(await waivers('--set', 'renewal-risk')).toEqual([]);
    await said(['ingest', '--live', '-'], change('D3', 20, 36));
    await until('an answer', async () => (await outcomes('D3')).length === 3);
    expect((await outcomes('D3'))[2]).toBe('change: violated');
    expect(await waivers('--state', 'value_changed')).toEqual([['D3', 'value_changed']]);
    expect(await said(['waivers', 'list'])).toMatch(
      /^\S+Z {2}value_changed {2}deal {5}D3 .*\n\S+Z {2}in_force .*vp-sales\)\n$/,
    );
  });

  test('can be revoked at once, though nobody has taken it yet', async () => {
    processor.child.kill('SIGINT');
    await processor.ended;
    await said(['waive', ...DISCOUNT, 'D2', '--role', 'cfo', '--for', '1d', '--event-id', 'w-1']);
    // It comes again, as after an answer that was lost.
    await said(['waive', ...DISCOUNT, 'D2', '--role', 'cfo', '--for', '1d', '--event-id', 'w-1']);
    expect(await said(['waivers', 'revoke', ...DISCOUNT, 'D2', 'D4', '--reason', 'a mistake'])).toBe(
      'the waiver of `discount-in-band` is revoked for 2 deals\n',
    );
    expect(await refused('waivers', 'revoke', ...DISCOUNT, 'D2', 'D4')).toContain('PLB-WAIVER-NONE');
    processor = await startProcessor(dataDir);
    await until('its end', async () => (await outcomes('D2')).length === 5 && (await outcomes('D4')).length === 3);
    expect((await outcomes('D2')).slice(3)).toEqual(['change: waived', 'change: violated']);
    expect((await outcomes('D4'))[2]).toBe('change: violated');
    expect(await waivers()).toEqual([['D3', 'value_changed']]);
  });

  test('is on the audit topic, by whom and why, without the entity', async () => {
    const log = openExistingLog(dataDir);
    const records = await log.read(topics.audit, 0, 0, { maxRecords: 100, maxBytes: 1024 * 1024 });
    await log.close();
    const audit = records.map((record) => decodeAnswered(record));
    expect(audit[0]).toMatchObject({ kind: 'waive', set: 'deal-desk', by: 'Ann', outcome: 'accepted', reason: null });
    expect(audit.find(({ kind }) => kind === 'revoke')).toMatchObject({ kind: 'revoke', reason: 'a mistake' });
    expect(audit.map(({ message }) => message).join()).not.toMatch(/D\d/);
  });
});
