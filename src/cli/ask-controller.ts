import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { decodeAnswered } from '../../consumers/audit.ts';
import { requestRecord } from '../../producers/requests.ts';
import { PlumblineError } from '../errors.ts';
import type { Answered, Request, Signal } from '../rollout/request.ts';
import { answeredToJson, requestOfJson, requestToJson } from '../wire/request-body.ts';
import { EXIT } from './exit-codes.ts';
import type { Place } from './open-log.ts';
import { printable } from './printable.ts';

const ANSWER_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const PAGE = { maxRecords: 200, maxBytes: 4 * 1024 * 1024 };

type Bare<R> = R extends unknown ? Omit<R, 'id' | 'at'> : never;
export type Asking = Bare<Exclude<Request, Signal>>;

/** Who asks, unless told. */
export const whoAmI = (): string => process.env.PLUMBLINE_BY || userInfo().username;

/**
 * Asks the controller and waits for its answer.
 * @throws PlumblineError PLB-ROLLOUT-UNANSWERED (retryable): it may be answered later, and is listed then
 */
export const askController = (place: Place, asking: Asking): Promise<Answered> =>
  sendRequest(place, { ...asking, id: randomUUID(), at: Date.now() } as Request);

/** What is known so far of a request, and where on the audit topic the next answer may come. */
export async function answerSoFar(place: Place, id: string): Promise<SoFar> {
  const { start, end } = await place.log.bounds(place.topics.audit, 0);
  return answerFrom(place, id, Math.max(start, end - MAX_LOOKED_BACK));
}

export interface SoFar {
  readonly answered: Answered | null;
  readonly next: number;
}

/**
 * As askController, of a request that has its id.
 * @throws PlumblineError PLB-REQUEST-DECODE
 * @param from where its answer may come at the earliest, such as that to the same request when it was sent before
 */
export async function sendRequest(place: Place, request: Request, from?: number): Promise<Answered> {
  const { log, topics, wire } = place;
  // What can't be read would never be answered.
  requestOfJson(requestToJson(request), {});
  let offset = from ?? (await log.bounds(topics.audit, 0)).end;
  await log.append([requestRecord(topics, request, wire)]);
  for (const until = Date.now() + ANSWER_TIMEOUT_MS; Date.now() < until; await sleep(POLL_MS)) {
    const { answered, next } = await answerFrom(place, request.id, offset);
    if (answered !== null) return answered;
    offset = next;
  }
  throw new PlumblineError('PLB-ROLLOUT-UNANSWERED', `nobody has decided after ${ANSWER_TIMEOUT_MS / 1000} seconds`, {
    retryable: true,
    hint: 'is a processor running? It decides once it is; `plumbline rollouts` shows what became of it',
  });
}

/** As far back as the controller itself knows what it has answered. */
const MAX_LOOKED_BACK = 10_000;

async function answerFrom({ log, topics }: Place, id: string, from: number): Promise<SoFar> {
  for (let offset = from; ; ) {
    const records = await log.read(topics.audit, 0, offset, PAGE);
    for (const record of records) {
      offset = record.offset + 1;
      // The log is read as JSON on every wire.
      const answered = decodeAnswered(record);
      if (answered.request === id) return { answered, next: offset };
    }
    if (records.length === 0) return { answered: null, next: offset };
  }
}

/** `--format` of commands that the controller answers. */
export const answerFormat = (): Option =>
  new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text');

/** Tells the answer; a refusal ends the command as one. */
export function tell(answered: Answered, format: string): void {
  const { outcome, code, message, hint } = answered;
  if (outcome === 'refused') process.exitCode = EXIT.refused;
  if (format === 'json') process.stdout.write(`${JSON.stringify(answeredToJson(answered))}\n`);
  else if (outcome === 'accepted') process.stdout.write(`${printable(message)}\n`);
  else
    process.stderr.write(
      `refused ${code}: ${printable(message)}${hint === null ? '' : `\n  hint: ${printable(hint)}`}\n`,
    );
}
