import type { Contracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../../src/errors.ts';
import { type EmbeddedOptions, openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import type { Log } from '../../../src/log/port.ts';
import { type Topics, topicSpecs } from '../../../src/log/topics.ts';
import { startWorker, type Worker, type WorkerOptions } from '../../../src/runtime/worker.ts';
import { fakeAnswer } from '../../simulation/fake-set.ts';
import { PARTITIONS, VERSIONS } from '../../simulation/world.ts';

export interface FakeWorker {
  readonly log: Log;
  readonly worker: Worker;
  stop(): Promise<void>;
}

export const openLog = (directory: string, topics: Topics, more: Partial<EmbeddedOptions> = {}): Log =>
  openEmbeddedLog({ directory, topics: topicSpecs(topics, PARTITIONS), clock: Date.now, ...more });

/** A real worker on the embedded log, with the small sets of the simulation. */
export async function startFakeWorker(
  where: { readonly directory: string; readonly contracts: Contracts; readonly topics: Topics },
  more: Partial<WorkerOptions> & { readonly embedded?: Partial<EmbeddedOptions> } = {},
): Promise<FakeWorker> {
  const { topics, contracts } = where;
  let worker: Worker | undefined;
  const log = openLog(where.directory, topics, { onAppend: () => worker?.wake(), ...more.embedded });
  const compile = ({ version }: { readonly version: string }) => {
    const set = VERSIONS.get(version);
    if (set === undefined) throw new PlumblineError('PLB-TEST', 'no such version');
    return set;
  };
  const started = await startWorker({
    log,
    topics,
    contracts,
    answer: fakeAnswer,
    compile,
    waiverValue: () => '{}',
    clock: Date.now,
    random: Math.random,
    pollMs: 10,
    ...more,
  });
  worker = started;
  return {
    log,
    worker: started,
    async stop() {
      await started.stop(10_000);
      await started.ended;
      await log.close();
    },
  };
}
