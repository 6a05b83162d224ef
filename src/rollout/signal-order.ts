import type { Signal } from './request.ts';

/**
 * Whether a task told this before what is known of it, and it came late: by the facts that it has taken, and by what it
 * counts, which only rises between two facts. Clocks say nothing here: owners of a task have each their own.
 */
export function isOlder(signal: Signal, known: Signal): boolean {
  if (signal.controlOffset !== known.controlOffset) return signal.controlOffset < known.controlOffset;
  const hasFallen = Object.entries(signal.tallies).some(([set, { version, seq }]) => {
    const before = known.tallies[set];
    return before?.version === version && seq < before.seq;
  });
  return (
    hasFallen ||
    Object.entries(known.faults).some(([set, { version, count }]) => {
      const now = signal.faults[set];
      return now === undefined || (now.version === version && now.count < count);
    })
  );
}
