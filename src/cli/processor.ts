import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import pino, { type Logger } from 'pino';
import { changeRecord } from '../../producers/changes.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { makeServer } from '../console/server.ts';
import { PlumblineError } from '../errors.ts';
import { inTrace } from '../ingest/trace-context.ts';
import { turnBuffer } from '../log/embedded/turn.ts';
import type { Log } from '../log/port.ts';
import { activateNewSets, activateSets } from '../runtime/activate-sets.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import { followControl } from '../runtime/control.ts';
import { createHealth, type Health, type HealthReport } from '../runtime/health.ts';
import { isSettled, lagOf, stagesNobodyRuns, totalLag } from '../runtime/lag.ts';
import { dirtyEntities, incompleteEntities } from '../runtime/listed-entities.ts';
import { ownedBy } from '../runtime/owned-by.ts';
import { incidentOf, newestIncidents } from '../runtime/read-incidents.ts';
import { newestOutputs, type OutputRecord } from '../runtime/read-outputs.ts';
import { restoreTeller } from '../runtime/restore-teller.ts';
import { type Patience, patiently } from '../runtime/retry.ts';
import { KAFKA_BATCH } from '../runtime/task.ts';
import type { Worker } from '../runtime/worker.ts';
import type { PostureChange, Result } from '../scoring/result.ts';
import type { Telemetry } from '../telemetry/start.ts';
import { jsonView } from '../wire/json-view.ts';
import { jsonWire } from '../wire/json-wire.ts';
import { loadConnectors } from './connectors.ts';
import { type Flags, openFlags } from './flags.ts';
import { hookPorts } from './hooks.ts';
import { detailsOf } from './incident-details.ts';
import { takesOf } from './log-settings.ts';
import { topics as embeddedTopics, openKafkaPlace, openLog, type Place, topicsOf } from './open-log.ts';
import { matchesPosture, matchesResult } from './output-match.ts';
import { policyOf } from './policy.ts';
import { dropNote, noteProcessor } from './processor-note.ts';
import { startRealWorker } from './real-worker.ts';
import { rolloutPorts } from './rollout-ports.ts';
import type { Settings } from './settings.ts';
import { FLUSH_DEADLINE_MS, openTelemetry, watchedOn } from './telemetry.ts';
import { startThreads } from './threads.ts';

/** The processor of one machine: log, worker and HTTP. */
export interface Processor {
  readonly log: Log;
  readonly worker: Worker;
  readonly url: string;
  readonly activated: readonly CompiledSet[];
  /** Names of sets that were active and are not among those given. */
  readonly retired: readonly string[];
  stop(): Promise<void>;
}

/** Entities of one list that a status names. */
export const SHOWN_ENTITIES = 5;
/** What is under way gets this long to be committed. */
const STOP_DEADLINE_MS = 10_000;

export function makeLogger(level: string): Logger {
  const known = Object.hasOwn(pino.levels.values, level) || level === 'silent';
  // Only codes, counts and places are logged: no field of a deal, an account or a person.
  return pino({ level: known ? level : 'info', base: null }, pino.destination({ dest: 2, sync: true }));
}

/** @throws PlumblineError PLB-HTTP-PORT, PLB-LOG-* */
export async function startProcessor(
  settings: Settings,
  sets: readonly CompiledSet[],
  logger: Logger,
): Promise<Processor> {
  const contracts = loadContracts();
  const health = createHealth();
  const id = randomUUID();
  let worker: Worker | null = null;
  const turn = turnBuffer();
  const wake = (): void => worker?.wake();
  const isKafka = settings.log.log === 'kafka';
  // Before anything is opened, for a setting that is wrong ends the start.
  const hooks = hookPorts(settings.log, () => log, health);
  const flags = await openFlags(settings.log, health);
  const telemetry = await openTelemetry(process.env, {
    ...watchedOn(isKafka ? settings.log : null),
    instance: id,
    onFailure: () => health.count('telemetry.exports_failed'),
  });
  const {
    log: raw,
    topics,
    wire,
  } = isKafka
    ? await openKafkaPlace(settings.log, { onAppend: wake, onRestore: restoreTeller(health) })
    : openEmbedded(settings, { turn, onAppend: wake });
  // What people ask is read as JSON, whatever lies on the log.
  const log = jsonView(raw, topics, wire);
  const server = makeServer(
    {
      contracts,
      clock: Date.now,
      append: async (changes, trace) => {
        const atMs = Date.now();
        await log.append(
          changes.map(({ change, text }) =>
            inTrace(changeRecord(topics, change, text, { kind: 'live', atMs }, wire), trace),
          ),
        );
      },
      results: async (filter) => {
        const owned = filter.owner === null ? null : await ownedBy(log, topics, filter.owner);
        return newestFirst(
          await newestOutputs<Result>(log, topics.results, filter.limit, matchesResult(filter, owned)),
        );
      },
      postures: async (filter) =>
        newestFirst(await newestOutputs<PostureChange>(log, topics.postures, filter.limit, matchesPosture(filter))),
      status: async () => {
        const lags = await lagOf(log, topics);
        const nobodyRuns = await stagesNobodyRuns(log, topics);
        return {
          id,
          ...statusOf((worker?.health ?? health).report()),
          lag: totalLag(lags),
          tasks: lags,
          nobody_runs: nobodyRuns,
          incomplete: incompleteEntities(log, topics, SHOWN_ENTITIES),
          dirty: dirtyEntities(log, topics, SHOWN_ENTITIES),
        };
      },
      hooks,
      rollouts: rolloutPorts({ log, topics, wire }, contracts, policyOf(settings.log), flags.now),
      incidents: {
        newest: (limit) => newestIncidents(log, topics, limit),
        one: async (number) => {
          const found = await incidentOf(log, topics, number);
          return { ...found, details: await detailsOf({ log, topics, wire }, found.incident) };
        },
      },
      ready: () => worker !== null && !worker.health.report().isStuck,
      onError: (error) =>
        logger.error(
          { err: error instanceof Error ? { message: error.message, stack: error.stack } : String(error) },
          'request failed',
        ),
    },
    settings,
  );
  try {
    // The port first: a second processor beside a running one ends here, before it takes any task away.
    await listen(server, settings);
    const compile = (document: Parameters<typeof compileDocument>[0]) => compileDocument(document, contracts);
    // Several workers share a cluster: what is active there is decided by `activate`, not by whoever starts last.
    // Under a policy what is active is changed by a rollout, not by a file that a start finds.
    const bring = settings.log.policy === undefined ? activateSets : activateNewSets;
    const { activated, retired } = isKafka
      ? { activated: [], retired: [] }
      : await bring(log, topics, await followControl(log, topics, compile), sets, { at: Date.now(), by: 'run' });
    worker = await startTasks(settings, { log: raw, topics, wire }, { turn, health, instance: id, telemetry, flags });
    const url = urlOf(server.server.address(), settings.host);
    noteProcessor(settings.dataDir, { url, id });
    const running = worker;
    telemetry?.observe(() => running.health.report());
    return {
      log,
      worker: running,
      url,
      activated,
      retired,
      async stop() {
        await server.close();
        await running.stop(STOP_DEADLINE_MS);
        await flags.close();
        await log.close();
        dropNote(settings.dataDir, id);
        await telemetry?.close(FLUSH_DEADLINE_MS);
      },
    };
  } catch (error) {
    await server.close();
    await worker?.stop(STOP_DEADLINE_MS);
    await flags.close();
    await log.close();
    await telemetry?.close(FLUSH_DEADLINE_MS);
    throw error;
  }
}

function openEmbedded(settings: Settings, shared: Parameters<typeof openLog>[2]): Place {
  const topics = topicsOf(settings.log);
  return { log: openLog(settings.dataDir, topics, shared), topics, wire: jsonWire };
}

/** What a process's tasks have in common. */
interface TasksOf {
  readonly turn: SharedArrayBuffer;
  readonly health: Health;
  readonly instance: string;
  readonly telemetry: Telemetry | null;
  readonly flags: Flags;
}

/** On threads; a single one on a cluster runs in this one. */
function startTasks(settings: Settings, place: Place, common: TasksOf): Promise<Worker> {
  const { turn, health, instance, telemetry, flags } = common;
  if (settings.log.log !== 'kafka')
    return startThreads({ log: 'embedded', settings: settings.log, turn }, settings.threads, health, instance);
  if (settings.threads > 1)
    return startThreads({ log: 'kafka', settings: settings.log }, settings.threads, health, instance);
  return startRealWorker({
    ...place,
    health,
    connectors: loadConnectors(settings.log),
    policy: policyOf(settings.log),
    takes: takesOf(settings.log),
    limits: KAFKA_BATCH,
    switches: flags.now,
    ...(telemetry === null ? {} : { tracer: telemetry.tracer }),
  });
}

const statusOf = ({ isStuck: _, ...report }: HealthReport): Omit<HealthReport, 'isStuck'> => report;

const newestFirst = <T>(outputs: readonly OutputRecord<T>[]): readonly T[] =>
  outputs.map(({ value }) => value).reverse();

async function listen(server: ReturnType<typeof makeServer>, { host, port }: Settings): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new PlumblineError('PLB-HTTP-PORT', `port ${port} on ${host} is taken`, {
        hint: 'is a processor running already? `plumbline status` says; else choose another with PLUMBLINE_HTTP_PORT or --port',
      });
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new PlumblineError('PLB-HTTP-PORT', `can't listen on ${host}:${port} (${code})`, {
        hint: 'choose another address with --host and --port',
      });
    throw error;
  }
}

function urlOf(address: AddressInfo | string | null, host: string): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Resolves at the first Ctrl-C or termination; a second one ends the process at once. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (): void => {
      if (seen) process.exit(130);
      seen = true;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/** Waits until every task has taken all there is, and answered what is due by now. */
export async function untilCaughtUp(
  log: Log,
  patience: Patience,
  onLag: (lag: number) => void,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const lag = totalLag(await patiently('lag', patience, () => lagOf(log, embeddedTopics)));
    onLag(lag);
    if (lag === 0 && (await patiently('lag', patience, () => isSettled(log, embeddedTopics, Date.now())))) return;
    await patience.sleep(100);
  }
}
