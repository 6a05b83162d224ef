/** `degraded`: something is tried again; `critical`: something stands still, or was lost, and a person is needed. */
export type SystemPosture = 'nominal' | 'degraded' | 'critical';

export interface HealthReport {
  readonly posture: SystemPosture;
  /** Something stands still, or was lost: a person is needed, and waiting doesn't help. */
  readonly isStuck: boolean;
  readonly reasons: readonly string[];
  readonly counters: { readonly [name: string]: number };
}

/** Reasons that are kept: later ones of a new kind are counted, not told. */
const MAX_REASONS = 50;
/** Names of counters: drop reasons, dead letter codes and the like, all from fixed lists. */
const MAX_COUNTERS = 500;

export interface Health {
  count(name: string, by?: number): void;
  /** Until `recovered` of the same subject. */
  degraded(subject: string, reason: string): void;
  recovered(subject: string): void;
  /** How a subject stands now; nominal ends it. */
  stands(subject: string, posture: SystemPosture, reason: string): void;
  /** Stays until the process ends. */
  critical(subject: string, reason: string): void;
  isCritical(subject: string): boolean;
  report(): HealthReport;
}

export function createHealth(): Health {
  const counters = new Map<string, number>();
  const degraded = new Map<string, string>();
  const critical = new Map<string, string>();
  const standing = new Map<string, { readonly posture: SystemPosture; readonly reason: string }>();
  const note = (reasons: Map<string, string>, subject: string, reason: string) => {
    if (reasons.has(subject) || reasons.size < MAX_REASONS) reasons.set(subject, `${subject}: ${reason}`);
  };
  return {
    count(name, by = 1) {
      if (by !== 0 && (counters.has(name) || counters.size < MAX_COUNTERS))
        counters.set(name, (counters.get(name) ?? 0) + by);
    },
    degraded: (subject, reason) => note(degraded, subject, reason),
    recovered: (subject) => void degraded.delete(subject),
    stands(subject, posture, reason) {
      if (posture === 'nominal') standing.delete(subject);
      else standing.set(subject, { posture, reason: `${subject}: ${reason}` });
    },
    critical: (subject, reason) => note(critical, subject, reason),
    isCritical: (subject) => critical.has(subject),
    report: () => ({
      posture:
        critical.size > 0 || [...standing.values()].some(({ posture }) => posture === 'critical')
          ? 'critical'
          : degraded.size > 0 || standing.size > 0
            ? 'degraded'
            : 'nominal',
      isStuck: critical.size > 0,
      reasons: [...critical.values(), ...degraded.values(), ...[...standing.values()].map(({ reason }) => reason)],
      counters: Object.fromEntries([...counters].sort(([a], [b]) => (a < b ? -1 : 1))),
    }),
  };
}
