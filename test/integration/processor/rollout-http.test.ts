import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOf, signApproval } from '../../../src/rollout/approval.ts';
import { plumbline, ROOT, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';
import { discountedDeal } from '../../support/rollout-deals.ts';

interface Standing {
  readonly active: string;
  readonly rollout: { readonly version: string; readonly phase: string; readonly evidence: { readonly hash: string } };
  readonly next: { readonly action: string; readonly blocked_by: { readonly code: string } | null };
}

interface Told {
  readonly code?: string;
  readonly request?: string;
  readonly message?: string;
  readonly standing?: Standing;
}

/** A rollout by HTTP; its validation is a command. */
describe('a rollout by HTTP', () => {
  const scratch = scratchDirectory();
  const dataDir = join(scratch.path, 'data');
  const file = (name: string) => join(scratch.path, name);
  let processor: RunningProcessor;
  let document = '';

  const post = (path: string, body: object, headers: { readonly [name: string]: string } = {}) =>
    fetch(`${processor.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const ask = (action: string, body: object = {}, headers: { readonly [name: string]: string } = {}) =>
    post(`rollouts/deal-desk/${action}`, { by: 'bob', ...body }, headers);
  const accepted = async (answer: Response): Promise<Told> => {
    const told = (await answer.json()) as Told;
    expect([answer.status, told.code]).toEqual([200, undefined]);
    return told;
  };
  const refused = async (answer: Response): Promise<readonly [status: number, code: string | undefined]> => {
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    return [answer.status, ((await answer.json()) as Told).code];
  };
  const show = async (): Promise<Standing> =>
    (await (await fetch(`${processor.url}/v1/rollouts/deal-desk`)).json()) as Standing;
  const nextOf = ({ next }: Standing) => [next.action, next.blocked_by?.code ?? null];

  const ingest = (version: number, discount: number) =>
    plumbline(['ingest', '--live', '--data-dir', dataDir, '-'], {
      input: Array.from({ length: 40 }, (_, index) => discountedDeal(index, version, discount)).join('\n'),
    });

  beforeAll(async () => {
    const key = (await plumbline(['keys', 'make', file('ann.pem')])).stdout.trim();
    writeFileSync(
      file('policy.yaml'),
      [
        'apiVersion: plumbline/v1',
        'kind: RolloutPolicy',
        'name: test',
        'approvals: { needed: 1, roles: [revops] }',
        `keys: [{ name: ann, role: revops, public_key: "${key}" }]`,
        'shadow: { min_answers: 10, min_duration: 0s }',
        'canary: { min_answers: 1000, min_duration: 0s, steps: [0.5], min_accounts: 10 }',
        'guards:',
        '  - { metric: fault_share, at_most: 0, min_answers: 10 }',
        '  - { metric: unexpected_moves, at_most: 0, min_answers: 10 }',
      ].join('\n'),
    );
    const set = readFileSync(join(ROOT, 'constraint-sets/deal-desk.yaml'), 'utf8');
    document = set.replace('rep_discount: { type: double, default: 10', 'rep_discount: { type: double, default: 8');
    processor = await startProcessor(dataDir, ['--policy', file('policy.yaml')]);
    expect((await ingest(1, 5)).code).toBe(0);
  });
  afterAll(async () => {
    processor.child.kill('SIGINT');
    await processor.ended;
    scratch.remove();
  });

  test('refuses what is wrong at the door, as a problem with what to do', async () => {
    expect(await refused(await ask('shadow'))).toEqual([404, 'PLB-ROLLOUT-NONE']);
    expect(await refused(await fetch(`${processor.url}/v1/rollouts/nobodys`))).toEqual([404, 'PLB-ROLLOUT-NONE']);
    expect(await refused(await ask('propose', { document: 'name: [', reason: 'r' }))).toEqual([422, 'PLB-DOC-YAML']);
    expect(await refused(await ask('propose', { document }))).toEqual([422, 'PLB-REQUEST-DECODE']);
    expect(await refused(await ask('propose', { document, reason: 'r', moves: [{ from: 'sad' }] }))).toEqual([
      422,
      'PLB-REQUEST-DECODE',
    ]);
    expect(await refused(await post('rollouts/other/propose', { by: 'bob', document, reason: 'r' }))).toEqual([
      422,
      'PLB-ROLLOUT-NAME',
    ]);
    expect(await refused(await ask('promote', { vresion: 'x' }))).toEqual([422, 'PLB-HTTP-KEY']);
    expect(await refused(await post('freeze', { reason: 'nobody asks' }))).toEqual([422, 'PLB-REQUEST-DECODE']);
    expect(await refused(await post('freeze', { by: 'bob', set: 7 }))).toEqual([422, 'PLB-REQUEST-DECODE']);
    expect(await refused(await post('freeze', []))).toEqual([400, 'PLB-HTTP-JSON']);
    expect(await refused(await fetch(`${processor.url}/v1/freeze`, { method: 'POST' }))).toEqual([
      400,
      'PLB-HTTP-JSON',
    ]);
    expect(await refused(await post('freeze', { by: 'bob' }, { 'content-type': 'text/plain' }))).toEqual([
      415,
      'PLB-HTTP-TYPE',
    ]);
    expect(await refused(await post('freeze', { by: 'bob' }, { 'idempotency-key': 'x'.repeat(300) }))).toEqual([
      422,
      'PLB-HTTP-IDEMPOTENCY',
    ]);
    const wrongMethod = await fetch(`${processor.url}/v1/rollouts/deal-desk/promote`);
    expect(wrongMethod.headers.get('allow')).toBe('POST');
    expect(await refused(wrongMethod)).toEqual([405, 'PLB-HTTP-METHOD']);
    expect(await refused(await fetch(`${processor.url}/v1/rollouts/deal-desk?x=1`))).toEqual([400, 'PLB-HTTP-QUERY']);
    expect(nextOf(await show())).toEqual(['propose', null]);
  });

  test('tells at each step what comes next, and what blocks it', async () => {
    const { standing } = await accepted(await ask('propose', { document, reason: 'tighter' }));
    expect(standing && nextOf(standing)).toEqual(['validate', 'PLB-ROLLOUT-EVIDENCE']);
    expect(await refused(await ask('shadow'))).toEqual([409, 'PLB-ROLLOUT-EVIDENCE']);
    expect((await plumbline(['validate', 'deal-desk', '--by', 'bob', '--data-dir', dataDir])).code).toBe(0);
    const { active, rollout, next } = await show();
    expect(next).toMatchObject({ action: 'approve', blocked_by: { message: '0 of 1 approvals of revops are there' } });

    const privateKey = createPrivateKey(readFileSync(file('ann.pem')));
    const terms = { version: rollout.version, baseline: active, evidence: rollout.evidence.hash, role: 'revops' };
    const expiresAt = Math.floor(Date.now() / 1_000) * 1_000 + 60_000;
    const signed = {
      ...terms,
      expires_at: new Date(expiresAt).toISOString(),
      key: fingerprintOf(createPublicKey(privateKey)),
      signature: signApproval({ ...terms, set: 'deal-desk', expiresAt }, privateKey),
    };
    expect(await refused(await ask('approve', { ...signed, role: 'other', by: 'ann' }))).toEqual([
      409,
      'PLB-ROLLOUT-APPROVAL',
    ]);
    expect(await refused(await ask('approve', signed))).toEqual([409, 'PLB-ROLLOUT-AUTHOR']);
    const approved = await accepted(await ask('approve', { ...signed, by: 'ann' }));
    expect(approved.standing && nextOf(approved.standing)).toEqual(['shadow', null]);
    await accepted(await ask('shadow'));
    await until('that nothing is against a promotion', async () => (await show()).next.blocked_by === null);
    expect((await show()).rollout).toMatchObject({
      phase: 'shadow',
      guards: [
        { metric: 'fault_share', verdict: 'pass', value: 0 },
        { metric: 'unexpected_moves', verdict: 'pass', value: 0 },
      ],
    });
    expect(nextOf((await accepted(await ask('pause'))).standing ?? (await show()))).toEqual(['resume', null]);
    expect(await refused(await ask('promote'))).toEqual([409, 'PLB-ROLLOUT-PHASE']);
    await accepted(await ask('resume'));
  });

  test('takes a request once, however often it is sent', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const [one, other] = await Promise.all([ask('promote', {}, key), ask('promote', {}, key)]);
    const first = await accepted(one);
    expect(first.request).toBe(key['idempotency-key']);
    expect((await accepted(other)).message).toBe(first.message);
    expect((await accepted(await ask('promote', {}, { 'idempotency-key': `"${first.request}"` }))).message).toBe(
      first.message,
    );
    expect(await refused(await ask('abort', {}, key))).toEqual([422, 'PLB-HTTP-IDEMPOTENCY']);
    // Once is what tells: asked anew it is refused.
    const { rollout, next } = await show();
    expect(rollout).toMatchObject({ phase: 'canary', step: 1, share: 0.5 });
    expect(next).toMatchObject({ action: 'promote', blocked_by: { code: 'PLB-ROLLOUT-GATE' } });
    expect(await refused(await ask('promote'))).toEqual([409, 'PLB-ROLLOUT-GATE']);
    const shown = await plumbline([
      'rollout',
      'show',
      'deal-desk',
      '--policy',
      file('policy.yaml'),
      '--data-dir',
      dataDir,
    ]);
    expect(shown.stdout).toMatch(
      /\nguard {8}pass fault_share 0, at most 0 .*\nblocked by {3}it was asked \d+ times .*PLB-ROLLOUT-GATE\)\n$/s,
    );
  });

  test('freezes all sets or one, which the answer shows', async () => {
    const told = (await (await post('freeze', { by: 'cy', reason: 'holidays' })).json()) as {
      readonly standing: { readonly frozen: object; readonly sets: { readonly [name: string]: Standing } };
    };
    expect(told.standing.frozen).toMatchObject({ by: 'cy', reason: 'holidays' });
    expect(Object.values(told.standing.sets).map((one) => one.next.blocked_by?.code)).toEqual([
      'PLB-ROLLOUT-FROZEN',
      'PLB-ROLLOUT-FROZEN',
      'PLB-ROLLOUT-FROZEN',
    ]);
    expect(await refused(await post('freeze', { by: 'cy' }))).toEqual([409, 'PLB-ROLLOUT-FROZEN']);
    await accepted(await post('unfreeze', { by: 'cy' }));
    await accepted(await post('freeze', { by: 'cy', set: 'renewal-risk' }));
    await accepted(await post('unfreeze', { by: 'cy', set: 'renewal-risk' }));
  });

  test('shows an incident as JSON, and as a page to a browser', async () => {
    const list = async (query = '') =>
      (await (await fetch(`${processor.url}/v1/incidents${query}`)).json()) as readonly { readonly number: number }[];
    expect(await list()).toEqual([]);
    // Between the two limits: whoever is in the canary moves, and nobody said so.
    expect((await ingest(2, 9)).code).toBe(0);
    await until('an incident', async () => (await list()).length === 1);
    expect(await list('?limit=1')).toMatchObject([{ number: 0, set: 'deal-desk', outcome: 'rolled_back' }]);
    const one = `${processor.url}/v1/incidents/0`;
    expect(await (await fetch(one)).json()).toMatchObject({ number: 0, moves: [{ from: 'watch', to: 'critical' }] });
    const page = await fetch(one, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([page.headers.get('content-type'), page.headers.get('vary')]).toEqual([
      'text/html; charset=utf-8',
      'Accept',
    ]);
    expect(await page.text()).toContain('unexpected_moves');
    expect(await refused(await fetch(`${processor.url}/v1/incidents/99`))).toEqual([404, 'PLB-INCIDENT-UNKNOWN']);
    const open = async () =>
      (await (await fetch(`${processor.url}/v1/follow-ups`)).json()) as readonly { id: string; kind: string }[];
    const [risk] = await open();
    expect(risk).toMatchObject({ kind: 'unresolved_risk', set: 'deal-desk', closed: null });
    const closing = { by: 'cy', reason: 'the limit was wrong', follow_up: risk?.id };
    expect((await accepted(await ask('close-follow-up', closing))).message).toMatch(/^closed: version /);
    expect(await open()).toEqual([]);
    expect(await refused(await ask('close-follow-up', closing))).toEqual([409, 'PLB-FOLLOW-UP']);
    expect(await refused(await ask('rollback'))).toEqual([409, 'PLB-ROLLOUT-TARGET']);
  });
});
