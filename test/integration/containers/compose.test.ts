import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../../deploy/kafka/free-ports.ts';
import { loadContracts } from '../../../schemas/contracts.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { plumbline, type Ran, scratchDirectory, until } from '../../support/cli.ts';
import { type Composed, composedAs } from '../../support/compose.ts';
import { runHealthchecks } from '../../support/health-timer.ts';
import { fetchImages } from '../../support/kafka-containers.ts';

const WORKERS = ['worker-1', 'worker-2'] as const;
/** docker-compose.yml's stop_grace_period of a worker. */
const GRACE_MS = 20_000;
/** Its mem_limit. */
const MEMORY_BYTES = 1024 ** 3;
const project = `plumbline-${randomUUID().slice(0, 8)}`;
const scratch = scratchDirectory();
const contracts = loadContracts();
const book = [...generateBook({ seed: 11, until: Date.UTC(2026, 6, 1), accounts: 20, deals: 60 })];
const half = Math.ceil(book.length / 2);

let on: Composed;
let stopHealthchecks: () => Promise<void> = async () => {};
let urls: readonly string[] = [];
/** What a host's command line needs to reach the cluster. */
let env: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  const [kafka = 0, registry = 0, first = 0, second = 0] = await freePorts(4);
  const ports = { KAFKA_PORT: kafka, REGISTRY_PORT: registry, WORKER_1_PORT: first, WORKER_2_PORT: second };
  on = await composedAs(project, Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `${port}`])));
  urls = [first, second].map((port) => `http://127.0.0.1:${port}`);
  env = {
    PLUMBLINE_LOG: 'kafka',
    PLUMBLINE_KAFKA_BROKERS: `127.0.0.1:${kafka}`,
    PLUMBLINE_KAFKA_REPLICATION: '1',
    PLUMBLINE_REGISTRY_URL: `http://127.0.0.1:${registry}/apis/ccompat/v7`,
    PLUMBLINE_DATA_DIR: join(scratch.path, 'host'),
  };
  await fetchImages(true);
  // 1.29 starts an image that is there, of whichever state of the sources.
  expect(await on.compose('build')).toMatchObject({ code: 0 });
  stopHealthchecks = await runHealthchecks(project);
  await up();
});
afterAll(async () => {
  await stopHealthchecks();
  await on.compose('down', '--volumes', '--timeout', '5');
  scratch.remove();
});

async function up(): Promise<void> {
  const { code, stdout, stderr } = await on.compose('up', '-d');
  if (code !== 0)
    throw new Error(
      `compose up ended with ${code}:\n${stdout}${stderr}${(await on.compose('logs', '--tail', '20')).stdout}`,
    );
  for (const worker of WORKERS)
    await until(`${worker} is healthy`, async () => (await on.inspect(worker)).health === 'healthy', 90_000);
}

const cli = (...args: readonly string[]): Promise<Ran> => plumbline(args, { env });
const ask = async (url: string, path: string): Promise<unknown> =>
  (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(30_000) })).json();
const counters = async (url: string) =>
  ((await ask(url, '/v1/status')) as { readonly counters: { readonly [name: string]: number } }).counters;
const lag = async (): Promise<number> =>
  (JSON.parse((await cli('status', '--format', 'json')).stdout) as { readonly lag: number }).lag;
const caughtUp = (): Promise<void> => until('everything is answered', async () => (await lag()) === 0, 120_000);
const lines = ({ stdout }: Ran): readonly { readonly id: string; readonly hash: string }[] =>
  stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text));

async function ingest(changes: typeof book): Promise<void> {
  const file = join(scratch.path, 'changes.ndjson');
  writeFileSync(file, changes.map((change) => encodeChange(change, contracts)).join('\n'));
  const { code, stderr } = await cli('ingest', '--open', '--import-id', 'book', file);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('PLB-')]);
}

const live = (id: string): string =>
  JSON.stringify({
    event_id: randomUUID(),
    entity: 'deal',
    id,
    version: '1',
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields: { stage: 'proposal', discount_pct: 45 },
  });

test('one command makes topics, registers schemas, activates the sets and starts both workers', async () => {
  expect(await on.inspect('init')).toMatchObject({ status: 'exited', exitCode: 0 });
  expect(await cli('topics', 'check')).toEqual({ code: 0, stdout: '', stderr: '' });
  const schemas = JSON.parse((await cli('schemas', 'check', '--format', 'json')).stdout) as { state: string }[];
  expect([schemas.length > 0, [...new Set(schemas.map(({ state }) => state))]]).toEqual([true, ['registered']]);
});

test('nothing listens to other machines', async () => {
  for (const service of ['kafka', 'registry', ...WORKERS])
    expect((await on.inspect(service)).openAt).toEqual(['127.0.0.1']);
});

test('a worker has no rights that it does not need', async () => {
  for (const worker of WORKERS) {
    expect(await on.exec(worker, 'id', '-u')).toEqual({ code: 0, output: '1000' });
    expect((await on.exec(worker, 'touch', '/app/x')).output).toContain('Read-only file system');
    expect((await on.exec(worker, 'touch', '/etc/x')).output).toContain('Read-only file system');
    expect(await on.exec(worker, 'sh', '-c', 'touch /data/x && rm /data/x')).toEqual({ code: 0, output: '' });
    const { output } = await on.exec(worker, 'cat', '/proc/1/status');
    expect(output).toMatch(/^Name:\s+(?:node|MainThread)$/m);
    expect(output).toMatch(/^CapPrm:\s+0+$/m);
    expect(output).toMatch(/^CapBnd:\s+0+$/m);
    expect(output).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(await on.inspect(worker)).toMatchObject({ isReadOnly: true, memoryBytes: MEMORY_BYTES, status: 'running' });
  }
  const { output } = await on.exec('worker-1', 'sh', '-c', 'ls -a /app /app/node_modules');
  for (const absent of ['test', '.git', 'benchmarks', 'vitest', 'typescript', 'testcontainers'])
    expect(output.split('\n')).not.toContain(absent);
});

test('changes come in by both doors, both workers answer, and both ways to read agree', async () => {
  await ingest(book.slice(0, half));
  const response = await fetch(`${urls[0]}/v1/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: live('D-live'),
  });
  expect(response.status).toBe(202);
  await caughtUp();

  const told = lines(await cli('results', '--format', 'ndjson', '--id', 'D-live', '--set', 'deal-desk'));
  expect(told).toHaveLength(1);
  expect(await ask(urls[1] ?? '', '/v1/results?id=D-live&set=deal-desk')).toEqual(told);
  const all = lines(await cli('results', '--format', 'ndjson', '--limit', '1000'));
  expect(all.length).toBeGreaterThan(200);

  const [one, two] = await Promise.all(urls.map(counters));
  for (const name of ['ingest.records', 'score.records']) {
    expect(one?.[name]).toBeGreaterThan(0);
    expect(two?.[name]).toBeGreaterThan(0);
  }
});

test('up again changes nothing', async () => {
  await up();
  const logs = (await on.compose('logs', '--no-color', 'init')).stdout;
  expect(logs).toContain('renewal-risk');
  expect(await on.inspect('init')).toMatchObject({ exitCode: 0 });
  expect(logs.match(/ is active$/gm)).toHaveLength(3);
});

test("a killed worker's tasks go to the other one, and come back with it", async () => {
  const before = await counters(urls[1] ?? '');
  expect((await on.compose('kill', 'worker-1')).code).toBe(0);
  await ingest(book.slice(half));
  await caughtUp();
  const after = await counters(urls[1] ?? '');
  // All of the second half is the other one's, so more than it had of the first.
  expect((after['ingest.records'] ?? 0) - (before['ingest.records'] ?? 0)).toBe(book.length - half);
  expect(JSON.parse((await cli('status', '--format', 'json')).stdout)).toMatchObject({ dead_letters: { total: 0 } });
  await up();
});

test('a stop ends the workers by themselves, and nothing is lost', async () => {
  const before = lines(await cli('results', '--format', 'ndjson', '--limit', '1000'));
  const startedMs = Date.now();
  expect((await on.compose('stop', ...WORKERS)).code).toBe(0);
  expect(Date.now() - startedMs).toBeLessThan(GRACE_MS);
  for (const worker of WORKERS) expect(await on.inspect(worker)).toMatchObject({ status: 'exited', exitCode: 0 });
  expect((await on.compose('logs', '--no-color', 'worker-2')).stdout).toContain('processor stopped');
  expect((await on.compose('stop')).code).toBe(0);

  // The registry's ids and the log outlive all containers.
  expect((await on.compose('rm', '--force')).code).toBe(0);
  await up();
  expect(lines(await cli('results', '--format', 'ndjson', '--limit', '1000'))).toEqual(before);
  expect((await plumbline(['ingest', '--live', '-'], { env, input: live('D-after') })).code).toBe(0);
  await caughtUp();
  expect(await ask(urls[0] ?? '', '/v1/results?id=D-after&set=deal-desk')).toHaveLength(1);
});
