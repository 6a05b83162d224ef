import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAnswered } from '../../consumers/audit.ts';
import { decodeFact } from '../../consumers/control.ts';
import { decodeImage } from '../../consumers/images.ts';
import { decodeResult } from '../../consumers/scored-results.ts';
import { changeRecord } from '../../producers/changes.ts';
import { requestRecord } from '../../producers/requests.ts';
import { setRecord } from '../../producers/sets.ts';
import { type Asking, sendRequest } from '../../src/cli/ask-controller.ts';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { ImageRecord } from '../../src/ingest/image.ts';
import type { EntityKind } from '../../src/language/contract.ts';
import type { Log } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import { fingerprintOf, signApproval } from '../../src/rollout/approval.ts';
import { type ControlState, NO_FACTS, reduce } from '../../src/rollout/control-state.ts';
import type { Answered, Request } from '../../src/rollout/request.ts';
import { activateSets } from '../../src/runtime/activate-sets.ts';
import { followControl } from '../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../src/runtime/lag.ts';
import type { ControlFact } from '../../src/scoring/control-fact.ts';
import type { Result } from '../../src/scoring/result.ts';
import { jsonWire } from '../../src/wire/json-wire.ts';
import { plumbline, type Ran, until } from './cli.ts';
import { installOn } from './kafka-installation.ts';
import { recordsOf } from './rescore.ts';
import { compile } from './test-worker.ts';
import { superviseWorkers, type Workers } from './worker-processes.ts';

const WORKERS = 3;
const PARTITIONS = 4;
/** A worker that was killed is noticed after six seconds; the last one that asks may wait for two of them. */
const ATTEMPTS = 4;
const ROLE = 'revops';
const LOOKS = 60;
const LOOK_MS = 250;

export interface At<T> {
  readonly value: T;
  /** When the broker appended it. */
  readonly at: number;
}

/** One installation on Kafka, its workers, and what a person, a CRM and a reader do there. */
export interface RolloutRig {
  readonly topics: Topics;
  readonly log: Log;
  readonly workers: Workers;
  /** Ids of all that was asked. */
  readonly asked: readonly string[];
  /** Ids of the changes that were sent. */
  readonly changed: readonly string[];
  /** Asks until it is answered, and once more after that, with the same id. */
  ask(asking: Asking): Promise<Answered>;
  /** As whoever has the key that the policy names. */
  approve(set: CompiledSet, baseline: string, evidence: string): Promise<Answered>;
  propose(set: CompiledSet, by: string): Promise<Answered>;
  /** Live changes of entities, each of the next version of its entity. */
  change(entity: EntityKind, ids: readonly string[], contentOf: (id: string) => object): Promise<void>;
  untilAnswered(): Promise<void>;
  /** The worker whose task decides, and one of the others that are up. */
  whoDecides(): Promise<{ readonly decider: number; readonly other: number }>;
  facts(): Promise<readonly At<ControlFact>[]>;
  state(): Promise<ControlState>;
  answers(): Promise<readonly At<Answered>[]>;
  images(): Promise<readonly ImageRecord[]>;
  results(): Promise<readonly At<Result>[]>;
  verifyControl(): Promise<Ran>;
  end(): Promise<void>;
}

/** @param policy what the policy says besides its name, keys and approvals */
export async function startRollouts(
  brokers: readonly string[],
  directory: string,
  sets: readonly CompiledSet[],
  policy: readonly string[],
): Promise<RolloutRig> {
  const { topics, prefix, open } = await installOn(brokers, directory, PARTITIONS);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const own = join(directory, prefix);
  mkdirSync(own);
  const policyFile = join(own, 'policy.yaml');
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  writeFileSync(
    policyFile,
    [
      'apiVersion: plumbline/v1',
      'kind: RolloutPolicy',
      'name: test',
      `approvals: { needed: 1, roles: [${ROLE}] }`,
      `keys: [{ name: ann, role: ${ROLE}, public_key: "${spki}" }]`,
      ...policy,
    ].join('\n'),
  );
  const on = ['--log', 'kafka', '--brokers', brokers.join(','), '--prefix', prefix];
  const env = { PLUMBLINE_KAFKA_REPLICATION: '1', PLUMBLINE_KAFKA_PARTITIONS: String(PARTITIONS) };
  const log = await open();
  await activateSets(log, topics, await followControl(log, topics, compile), sets, { at: 0, by: 'test' });
  const workers = superviseWorkers({ directory: own, args: [...on, '--policy', policyFile], env });
  for (let worker = 0; worker < WORKERS; worker++) workers.start(worker);

  await until('every worker is up', async () => (await workers.statuses()).length === WORKERS);

  const place = { log, topics, wire: jsonWire };
  const asked: string[] = [];
  const changed: string[] = [];
  const versions = new Map<string, number>();

  async function ask(asking: Asking): Promise<Answered> {
    const request = { ...asking, id: randomUUID(), at: Date.now() } as Request;
    asked.push(request.id);
    const { end } = await log.bounds(topics.audit, 0);
    for (let attempt = 1; ; attempt++)
      try {
        const answered = await sendRequest(place, request, end);
        await log.append([requestRecord(topics, request)]);
        return answered;
      } catch (error) {
        if (!(error instanceof PlumblineError) || !error.retryable || attempt === ATTEMPTS) throw error;
      }
  }

  async function decodedOf<T>(
    topic: string,
    decode: (record: Parameters<typeof decodeFact>[0]) => T,
  ): Promise<readonly At<T>[]> {
    return (await recordsOf(log, topic)).flat().map((record) => ({ value: decode(record), at: record.timestampMs }));
  }
  const facts = () => decodedOf(topics.control, (record): ControlFact => decodeFact(record));

  /** Requests that each worker has taken since it was started. */
  const taken = async (): Promise<ReadonlyMap<number, number>> =>
    new Map(
      (await workers.statuses()).map(({ worker, counters }) => [worker, counters['control.requests'] ?? 0] as const),
    );

  return {
    topics,
    log,
    workers,
    asked,
    changed,
    ask,
    async propose(set, by) {
      const { name, version, checked } = set;
      await log.append([setRecord(topics, { version, name, document: checked.text })]);
      return ask({ kind: 'propose', set: name, version, moves: [], by, reason: 'a test' });
    },
    async approve({ name, version }, baseline, evidence) {
      const expiresAt = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;
      const terms = { set: name, version, baseline, evidence, role: ROLE, expiresAt };
      const key = fingerprintOf(publicKey);
      return ask({ kind: 'approve', ...terms, key, signature: signApproval(terms, privateKey), by: 'ann' });
    },
    async change(entity, ids, contentOf) {
      const atMs = Date.now();
      const changed_at = new Date(atMs).toISOString();
      await log.append(
        ids.map((id) => {
          const version = (versions.get(id) ?? 0) + 1;
          versions.set(id, version);
          const event_id = `${id}-${version}`;
          changed.push(event_id);
          const change = { event_id, entity, id, version: String(version), changed_at, op: 'upsert' };
          return changeRecord(topics, { entity, id }, JSON.stringify({ ...change, ...contentOf(id) }), {
            kind: 'live',
            atMs,
          });
        }),
      );
    },
    untilAnswered: () => until('everything is answered', async () => totalLag(await lagOf(log, topics)) === 0),
    async whoDecides() {
      for (let attempt = 0; attempt < LOOKS; attempt++) {
        const before = await taken();
        // Refused, for nothing is frozen: it only shows who takes it.
        await ask({ kind: 'unfreeze', set: null, by: 'test' });
        const after = await taken();
        const [decider, ...more] = [...after].flatMap(([worker, count]) =>
          count > (before.get(worker) ?? count) ? [worker] : [],
        );
        const other = [...after.keys()].find((worker) => worker !== decider);
        if (decider !== undefined && other !== undefined && more.length === 0) return { decider, other };
        await sleep(LOOK_MS);
      }
      throw new Error('nobody seems to decide, or nobody else is up');
    },
    facts,
    state: async () => (await facts()).reduce((state, { value }) => reduce(state, value), NO_FACTS),
    answers: () => decodedOf(topics.audit, (record) => decodeAnswered(record)),
    images: async () => (await decodedOf(topics.images, (record) => decodeImage(record))).map(({ value }) => value),
    results: () => decodedOf(topics.results, (record) => decodeResult(record).value),
    verifyControl: () => plumbline(['control', 'verify', ...on], { env }),
    async end() {
      await workers.end();
      await log.close();
    },
  };
}
