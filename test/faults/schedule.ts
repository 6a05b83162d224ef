import type { Chance } from '../simulation/prng.ts';
import { STEPS, type Step } from '../support/worker-processes.ts';

/** Of a registry that is of no use. */
export const ANSWERS = ['404', '500', 'never'] as const;

/** What is done to a running installation; indexes count from 0, times are in milliseconds. */
export type Fault =
  /** kill -9, and started again. */
  | { readonly kind: 'kill'; readonly worker: number }
  /** kill -9 of itself at a step of a transaction; at `answer` EndTxn is done and its answer lost. */
  | { readonly kind: 'kill_at'; readonly worker: number; readonly step: Step }
  /** SIGSTOP past the session's timeout, then SIGCONT. */
  | { readonly kind: 'freeze'; readonly worker: number; readonly forMs: number }
  /** One worker more, which leaves again. */
  | { readonly kind: 'add'; readonly forMs: number }
  /** A worker stops cleanly, and comes back. */
  | { readonly kind: 'remove'; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'broker_kill'; readonly broker: number; readonly forMs: number }
  | { readonly kind: 'broker_freeze'; readonly broker: number; readonly forMs: number }
  /** Each broker stops cleanly and starts again, one after the other. */
  | { readonly kind: 'rolling_restart' }
  /** Every byte to and from a broker is late. */
  | { readonly kind: 'delay'; readonly broker: number; readonly delayMs: number; readonly forMs: number }
  /** Connections to a broker are reset, and refused for a while. */
  | { readonly kind: 'cut'; readonly broker: number; readonly forMs: number }
  /** Connections to a broker swallow every byte, those there are for good, new ones for a while. */
  | { readonly kind: 'half_open'; readonly broker: number; readonly forMs: number }
  | { readonly kind: 'registry'; readonly answer: (typeof ANSWERS)[number]; readonly forMs: number };

export type FaultKind = Fault['kind'];

export interface TimedFault {
  /** After the first input. */
  readonly atMs: number;
  readonly fault: Fault;
}

export interface Plan {
  /** How often each kind comes. */
  readonly kinds: Partial<Record<FaultKind, number>>;
  /** Where `kill_at` strikes; anywhere unless given. */
  readonly steps?: readonly Step[];
  /** The faults are spread over it. */
  readonly durationMs: number;
  readonly workers: number;
  readonly brokers: number;
}

/** Of kinds that take a broker away, one at a time: with three brokers two must be there to write anything. */
const TAKES_A_BROKER: ReadonlySet<FaultKind> = new Set(['broker_kill', 'broker_freeze', 'rolling_restart']);
/** The shortest time from taking one broker to taking the next: the first is in sync again. */
const BROKER_GAP_MS = 22_000;
/** The group's session ends after six seconds: longer makes a zombie. */
const FREEZE_MS = [7_000, 12_000] as const;

/** The same chance gives the same faults. */
export function planFaults(
  { kinds, steps = STEPS, durationMs, workers, brokers }: Plan,
  chance: Chance,
): readonly TimedFault[] {
  const between = (from: number, to: number): number => from + chance.below(to - from);
  /** Of a kind's own varieties each has its turn. */
  const turn = <T>(varieties: readonly T[], index: number): T => varieties[index % varieties.length] as T;
  const make = (kind: FaultKind, index: number): Fault => {
    const worker = chance.below(workers);
    const broker = chance.below(brokers);
    switch (kind) {
      case 'kill':
        return { kind, worker };
      case 'kill_at':
        return { kind, worker, step: turn(steps, index) };
      case 'freeze':
        return { kind, worker, forMs: between(...FREEZE_MS) };
      case 'add':
        return { kind, forMs: between(5_000, 15_000) };
      case 'remove':
        return { kind, worker, forMs: between(1_000, 6_000) };
      case 'broker_kill':
      case 'broker_freeze':
        return { kind, broker, forMs: between(1_000, 12_000) };
      case 'rolling_restart':
        return { kind };
      case 'delay':
        return { kind, broker, delayMs: between(20, 300), forMs: between(3_000, 8_000) };
      case 'cut':
        return { kind, broker, forMs: between(0, 3_000) };
      case 'half_open':
        return { kind, broker, forMs: between(1_000, 8_000) };
      case 'registry':
        return { kind, answer: turn(ANSWERS, index), forMs: between(3_000, 9_000) };
    }
  };
  const list = (Object.keys(kinds) as FaultKind[]).sort();
  const faults = list.flatMap((kind) =>
    Array.from({ length: kinds[kind] ?? 0 }, (_, index) => ({
      atMs: between(0, durationMs),
      fault: make(kind, index),
    })),
  );
  faults.sort((a, b) => a.atMs - b.atMs);
  return spread(faults);
}

/** Later where a broker is still away. */
function spread(faults: readonly TimedFault[]): readonly TimedFault[] {
  let free = 0;
  const moved = faults.map(({ atMs, fault }) => {
    if (!TAKES_A_BROKER.has(fault.kind)) return { atMs, fault };
    const at = Math.max(atMs, free);
    free = at + BROKER_GAP_MS + (fault.kind === 'rolling_restart' ? 2 * BROKER_GAP_MS : 0);
    return { atMs: at, fault };
  });
  return moved.sort((a, b) => a.atMs - b.atMs);
}

export const describeFault = ({ kind, ...rest }: Fault): string =>
  [kind, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(' ');
