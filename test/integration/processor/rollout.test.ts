import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFact } from '../../../consumers/control.ts';
import { decodeResult } from '../../../consumers/scored-results.ts';
import { openExistingLog, topics } from '../../../src/cli/open-log.ts';
import type { Log } from '../../../src/log/port.ts';
import { readPages } from '../../../src/runtime/read-pages.ts';
import { plumbline, ROOT, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';
import { discountedDeal } from '../../support/rollout-deals.ts';

/** A rollout as a person makes it: by command, on the embedded log. */
describe('a rollout', () => {
  const scratch = scratchDirectory();
  const dataDir = join(scratch.path, 'data');
  const file = (name: string) => join(scratch.path, name);
  const PAGE = { maxRecords: 1_000, maxBytes: 8 * 1024 * 1024 };
  let processor: RunningProcessor;
  let log: Log;

  const run = (...args: readonly string[]) => plumbline([...args, '--data-dir', dataDir]);
  const said = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(4);
    return /PLB-[A-Z-]+/.exec(stderr)?.[0];
  };
  const show = async () => JSON.parse(await said('rollout', 'show', 'deal-desk', '--format', 'json'));

  async function ingest(version: number, discount: number): Promise<void> {
    writeFileSync(
      file('c.ndjson'),
      Array.from({ length: 40 }, (_, i) => discountedDeal(i, version, discount)).join('\n'),
    );
    await said('ingest', file('c.ndjson'), '--live');
  }

  async function facts() {
    const found: ReturnType<typeof decodeFact>[] = [];
    for await (const records of readPages(log, topics.control, 0, PAGE))
      found.push(...records.map((r) => decodeFact(r)));
    return found;
  }
  /** The version of each deal's last result. */
  async function answeredBy(): Promise<ReadonlyMap<string, string>> {
    const last = new Map<string, string>();
    for (let partition = 0; partition < log.partitionsOf(topics.results); partition++)
      for await (const records of readPages(log, topics.results, partition, PAGE))
        for (const record of records) {
          const { value } = decodeResult(record);
          if (value.set === 'deal-desk') last.set(value.id, value.set_version);
        }
    return last;
  }
  const shareOf = async (version: string): Promise<number> => {
    const versions = [...(await answeredBy()).values()];
    return versions.filter((one) => one === version).length / versions.length;
  };

  beforeAll(async () => {
    const key = (await plumbline(['keys', 'make', file('ann.pem')])).stdout.trim();
    const other = (await plumbline(['keys', 'make', file('eve.pem')])).stdout.trim();
    expect(other).not.toBe(key);
    writeFileSync(
      file('policy.yaml'),
      [
        'apiVersion: plumbline/v1',
        'kind: RolloutPolicy',
        'name: test',
        'approvals: { needed: 1, roles: [revops] }',
        `keys: [{ name: ann, role: revops, public_key: "${key}" }]`,
        'shadow: { min_answers: 10, min_duration: 0s }',
        'canary: { min_answers: 35, min_duration: 0s, steps: [0.01, 0.5, 0.75], min_accounts: 10 }',
        'guards:',
        '  - { metric: fault_share, at_most: 0, min_answers: 10 }',
        '  - { metric: unexpected_moves, at_most: 0, min_answers: 10 }',
      ].join('\n'),
    );
    const set = readFileSync(join(ROOT, 'constraint-sets/deal-desk.yaml'), 'utf8');
    const tighter = set.replace(
      'rep_discount: { type: double, default: 10',
      'rep_discount: { type: double, default: 8',
    );
    expect(tighter).not.toBe(set);
    writeFileSync(file('deal-desk.yaml'), tighter);
    processor = await startProcessor(dataDir, ['--policy', file('policy.yaml')]);
    log = openExistingLog(dataDir);
    await ingest(1, 5);
  });
  afterAll(async () => {
    await log.close();
    processor.child.kill('SIGINT');
    await processor.ended;
    scratch.remove();
  });

  test('refuses a wrong command line at once', async () => {
    const propose = ['propose', file('deal-desk.yaml'), '--reason'] as const;
    const approve = ['approve', 'deal-desk', '--role', 'revops', '--key', file('ann.pem')] as const;
    for (const args of [
      [...propose, ''],
      [...propose, 'x'.repeat(2_001)],
      [...approve, '--days', 'soon'],
      ['validate', 'deal-desk', '--seed', 'x'],
      ['incident', 'show', '99'],
    ])
      expect((await run(...args)).code).toBe(3);
    expect(await refused('rollout', 'show', 'deal-dsk')).toBe('PLB-ROLLOUT-NONE');
    expect(await refused('freeze', 'deal-dsk')).toBe('PLB-ROLLOUT-NONE');
    expect(await refused('follow-ups', 'close', 'x', '--reason', 'done')).toBe('PLB-FOLLOW-UP');
  });

  test('goes on only when each step before it is done, by somebody else than its author', async () => {
    expect(await refused('shadow', 'deal-desk')).toBe('PLB-ROLLOUT-NONE');
    expect(
      await said('propose', file('deal-desk.yaml'), '--reason', 'tighter', '--by', 'bob', '--expect-from-diff'),
    ).toMatch(/^expects nobody to move\n/);
    const { stdout } = await run('preflight', 'deal-desk', '--policy', file('policy.yaml'), '--format', 'json');
    const checks: readonly { name: string; outcome: string; says: string }[] = JSON.parse(stdout);
    expect(checks).toContainEqual({ name: 'scope', outcome: 'pass', says: '40 deals; not the 0 accounts' });
    expect(checks).toContainEqual({
      name: 'inputs',
      outcome: 'pass',
      says: 'deal.discount_pct: 40 of 40 deals have it',
    });
    expect(checks.at(-1)).toMatchObject({ name: 'approval', outcome: 'pass' });
    expect(await refused('shadow', 'deal-desk')).toBe('PLB-ROLLOUT-EVIDENCE');
    const key = ['--role', 'revops', '--key'];
    expect(await refused('approve', 'deal-desk', ...key, file('ann.pem'), '--by', 'ann')).toBe('PLB-ROLLOUT-EVIDENCE');
    expect(await said('validate', 'deal-desk', '--by', 'bob')).toMatch(/verdict {6}pass/);
    expect(await refused('shadow', 'deal-desk')).toBe('PLB-ROLLOUT-APPROVAL');
    expect(await refused('approve', 'deal-desk', ...key, file('eve.pem'), '--by', 'ann')).toBe('PLB-ROLLOUT-APPROVAL');
    expect(await refused('approve', 'deal-desk', ...key, file('ann.pem'), '--by', 'bob')).toBe('PLB-ROLLOUT-AUTHOR');
    await said('approve', 'deal-desk', ...key, file('ann.pem'), '--by', 'ann');
    // Another validation is other evidence: the approval was not for it.
    await said('validate', 'deal-desk', '--seed', '2');
    expect(await refused('shadow', 'deal-desk')).toBe('PLB-ROLLOUT-APPROVAL');
    await said('approve', 'deal-desk', ...key, file('ann.pem'), '--by', 'ann');
    const answer = JSON.parse(await said('shadow', 'deal-desk', '--format', 'json'));
    expect(answer).toMatchObject({ outcome: 'accepted', kind: 'shadow' });
    expect(answer.message).toMatch(/is in its shadow; next: plumbline promote deal-desk/);
    const { active, rollout } = await show();
    expect(rollout).toMatchObject({ phase: 'shadow', share: 0 });
    expect(await shareOf(active)).toBe(1);
  });

  test('answers for a share of the accounts in its canary', async () => {
    const { rollout } = await show();
    await until('a promotion', async () => (await run('promote', 'deal-desk')).code === 0);
    // The first step would hold less than one account, and is passed over.
    expect((await show()).rollout).toMatchObject({ phase: 'canary', step: 2, share: 0.5 });
    await until('answers of the canary', async () => (await shareOf(rollout.version)) > 0.2);
    expect(await shareOf(rollout.version)).toBeLessThan(0.8);
    await ingest(2, 5);
    await until('the next step, unasked for', async () => (await show()).rollout.step === 3);
    await until('more of them', async () => (await shareOf(rollout.version)) > 0.55);
    expect((await facts()).filter(({ kind }) => kind === 'canaried')).toMatchObject([
      { step: 2, by: expect.not.stringMatching('controller') },
      { step: 3, by: 'controller', reason: 'step 2 did well: on to 75 % of the accounts' },
    ]);
  });

  test('is rolled back by itself when a guard fails, and all that it answered is answered again', async () => {
    const { active, rollout } = await show();
    // Between the two limits: whoever is in the canary moves, and nobody said so.
    const before = Date.now();
    await ingest(3, 9);
    await until('a rollback', async () => (await facts()).some(({ kind }) => kind === 'acknowledged'));
    expect(Date.now() - before).toBeLessThan(10_000);
    expect((await facts()).filter((fact) => fact.kind === 'rolled_back')).toMatchObject([
      { set: 'deal-desk', version: active, by: 'controller', reason: expect.stringContaining('unexpected_moves') },
    ]);
    expect(await show()).toMatchObject({ active, rollout: null, rollback: null });
    expect(await shareOf(rollout.version)).toBe(0);
    expect((await answeredBy()).size).toBe(40);
  });

  test('leaves all that somebody needs who looks into it', async () => {
    const [line, ...others] = (await said('incident', 'list', '--format', 'ndjson')).trim().split('\n');
    expect(others).toEqual([]);
    const incident = JSON.parse(line ?? '');
    expect(incident).toMatchObject({ set: 'deal-desk', outcome: 'rolled_back', number: 0 });
    expect(incident.moves).toEqual([{ from: 'watch', to: 'critical', count: expect.any(Number) }]);
    expect(incident.movers[0]).toMatchObject({ entity: 'deal', because: ['discount-in-band'] });
    expect(incident.samples.length).toBeGreaterThan(0);
    expect(incident.timeline.map(({ what }: { what: string }) => what.split(' ')[0])).toEqual(
      expect.arrayContaining(['proposed', 'validated', 'approved', 'shadowed', 'canaried']),
    );
    const html = await said('incident', 'show', '0', '--html');
    expect(html).toContain('unexpected_moves');
    expect(html).toContain('<svg');
    // What the two versions differ in, and why one of those who moved stands where it did.
    expect(html).toContain('parameter rep_discount');
    expect(html).toMatch(/<summary>deal D\d+: critical by version [0-9a-f]{12}/);
    expect(html).toContain('discount-in-band');
    expect(html).not.toMatch(/<script|https?:\/\/|src=/);
    expect(await said('incident', 'show', '0')).toContain(incident.movers[0].id);
  });

  test('queues what stays open, until somebody closes it', async () => {
    const list = async (...more: readonly string[]) =>
      (await said('follow-ups', 'list', '--format', 'ndjson', ...more))
        .trim()
        .split('\n')
        .flatMap((line): { id: string; kind: string; owner: string }[] => (line === '' ? [] : [JSON.parse(line)]));
    // The approval was given, and what was taken back is nobody's yet.
    const kinds = (await list('--all')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'missing_approval')).toHaveLength(2);
    const [risk, ...others] = (await list()).filter(({ kind }) => kind === 'unresolved_risk');
    expect(others).toEqual([]);
    expect(risk).toMatchObject({ owner: 'bob', set: 'deal-desk' });
    expect((await list()).some(({ kind }) => kind === 'missing_approval')).toBe(false);
    await said('follow-ups', 'close', risk?.id ?? '', '--reason', 'the limit was wrong', '--by', 'ann');
    expect((await list()).some(({ kind }) => kind === 'unresolved_risk')).toBe(false);
    expect((await run('follow-ups', 'close', risk?.id ?? '', '--reason', 'again')).stderr).toContain('PLB-FOLLOW-UP');
  });

  test('is the only way, unless somebody says otherwise', async () => {
    const { active } = await show();
    const past = await run('activate', file('deal-desk.yaml'));
    expect(past.code).not.toBe(0);
    expect(past.stderr).toContain('PLB-ROLLOUT-POLICY');
    expect((await show()).active).toBe(active);
  });

  test('stands still while rollouts are frozen', async () => {
    await said('freeze', '--reason', 'holidays');
    expect(await refused('propose', file('deal-desk.yaml'), '--reason', 'x')).toBe('PLB-ROLLOUT-FROZEN');
    await said('unfreeze');
  });

  test('pauses by its flags, loses nothing, and goes on', async () => {
    const status = async () => JSON.parse(await said('status', '--format', 'json')).processor;
    writeFileSync(join(dataDir, 'flags.yaml'), 'processing: false\nrollouts: false\n');
    await until('the pause', async () =>
      (await status()).reasons.some((reason: string) => reason.includes('plumbline.processing')),
    );
    expect(await refused('propose', file('deal-desk.yaml'), '--reason', 'x')).toBe('PLB-ROLLOUT-OFF');
    const before = [...(await answeredBy()).keys()].length;
    writeFileSync(file('new.ndjson'), [discountedDeal(100, 1, 5), discountedDeal(101, 1, 5)].join('\n'));
    await said('ingest', file('new.ndjson'), '--live');
    expect((await answeredBy()).size).toBe(before);
    // What can't be read changes nothing.
    writeFileSync(join(dataDir, 'flags.yaml'), 'processing: yes please\n');
    await until('a complaint', async () =>
      (await status()).reasons.some((reason: string) => reason.includes('PLB-FLAGS-READ')),
    );
    expect((await answeredBy()).size).toBe(before);
    writeFileSync(join(dataDir, 'flags.yaml'), '');
    await until('the rest', async () => (await answeredBy()).size === before + 2);
    await until('no complaint', async () => (await status()).posture === 'nominal');
  });

  test('leaves a control log that can be verified to the byte', async () => {
    expect(await said('control', 'verify')).toMatch(/^\d+ facts, \d+ sealed: all as they were\n$/);
  });
});
