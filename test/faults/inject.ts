import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { Workers } from '../support/worker-processes.ts';
import { answering } from './failing-registry.ts';
import type { FaultyProxy } from './proxy.ts';
import { describeFault, type Fault, type TimedFault } from './schedule.ts';

/** Brokers that can be harmed; see deploy/kafka/cluster.ts. */
export interface BrokerControl {
  signal(broker: number, signal: NodeJS.Signals): void;
  restart(broker: number): Promise<void>;
  /** Until every broker is there and every replica in sync. */
  untilWhole(): Promise<void>;
  readonly count: number;
}

/** What can be harmed; what is left out can't. */
export interface Targets {
  readonly workers: Workers;
  readonly workerCount: number;
  readonly brokers?: BrokerControl;
  readonly proxies?: readonly FaultyProxy[];
  /** With what it answers while it is well. */
  readonly registry?: { readonly registry: FakeRegistry; readonly answer: FakeRegistry['answer'] };
}

/** Plays the faults at their times, and mends each. @returns when the last one is mended */
export async function inject(
  faults: readonly TimedFault[],
  targets: Targets,
  tell: (text: string) => void,
): Promise<void> {
  let added = targets.workerCount;
  await Promise.all(
    faults.map(async ({ atMs, fault }) => {
      await sleep(atMs);
      tell(`${(atMs / 1000).toFixed(1)} s ${describeFault(fault)}`);
      await play(fault, targets, () => added++);
    }),
  );
}

async function play(fault: Fault, targets: Targets, nextWorker: () => number): Promise<void> {
  const { workers } = targets;
  switch (fault.kind) {
    case 'kill':
      return workers.kill(fault.worker);
    case 'kill_at':
      return workers.arm(fault.worker, fault.step);
    case 'freeze':
      workers.freeze(fault.worker);
      await sleep(fault.forMs);
      return workers.thaw(fault.worker);
    case 'add': {
      const worker = nextWorker();
      workers.start(worker);
      await sleep(fault.forMs);
      return workers.stop(worker);
    }
    case 'remove':
      await workers.stop(fault.worker);
      await sleep(fault.forMs);
      return workers.start(fault.worker);
    case 'broker_kill':
    case 'broker_freeze':
    case 'rolling_restart':
      return harmBroker(fault, given(targets.brokers));
    case 'delay':
    case 'cut':
    case 'half_open':
      return harmNetwork(fault, given(given(targets.proxies)[fault.broker]));
    case 'registry': {
      const { registry, answer } = given(targets.registry);
      registry.answer = answering(fault.answer);
      await sleep(fault.forMs);
      registry.answer = answer;
    }
  }
}

type Of<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;

async function harmBroker(
  fault: Of<'broker_kill' | 'broker_freeze' | 'rolling_restart'>,
  brokers: BrokerControl,
): Promise<void> {
  if (fault.kind === 'rolling_restart') {
    for (let broker = 0; broker < brokers.count; broker++) {
      await brokers.restart(broker);
      await brokers.untilWhole();
    }
    return;
  }
  const isKill = fault.kind === 'broker_kill';
  brokers.signal(fault.broker, isKill ? 'SIGKILL' : 'SIGSTOP');
  await sleep(fault.forMs);
  if (isKill) await brokers.restart(fault.broker);
  else brokers.signal(fault.broker, 'SIGCONT');
  await brokers.untilWhole();
}

async function harmNetwork(fault: Of<'delay' | 'cut' | 'half_open'>, proxy: FaultyProxy): Promise<void> {
  if (fault.kind === 'delay') proxy.delay(fault.delayMs);
  else if (fault.kind === 'cut') proxy.cut();
  else proxy.halfOpen();
  await sleep(fault.forMs);
  if (fault.kind === 'delay') proxy.delay(0);
  else proxy.mend();
}

function given<T>(target: T | undefined): T {
  if (target === undefined) throw new Error('a fault is planned whose target this run does not have');
  return target;
}
