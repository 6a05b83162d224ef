import { readGuards, worstOf } from './guards.ts';
import type { Policy, PolicyExample } from './policy.ts';

export interface ExampleOutcome {
  readonly name: string;
  /** What the guards say otherwise; empty: nothing. */
  readonly mismatches: readonly string[];
}

/** What the guards of a policy say to its own examples. */
export const runPolicyExamples = ({ guards, examples }: Policy): readonly ExampleOutcome[] =>
  examples.map((example) => ({ name: example.name, mismatches: mismatchesOf(example, guards) }));

function mismatchesOf({ tally, proposed, expect }: PolicyExample, guards: Policy['guards']): readonly string[] {
  const readings = readGuards(guards, tally, proposed);
  const verdict = worstOf(readings);
  const told = readings.map(
    ({ metric, value, atMost, answers }) => `${metric} ${value} (at most ${atMost}, ${answers} answers)`,
  );
  return [
    ...(verdict === expect.verdict
      ? []
      : [`expected ${expect.verdict}, the guards say ${verdict}: ${told.join('; ')}`]),
    ...Object.entries(expect.guards).flatMap(([metric, wanted]) => {
      const found = readings.filter((reading) => reading.metric === metric);
      if (found.length === 0) return [`${metric}: there is no such guard`];
      const says = worstOf(found);
      return says === wanted ? [] : [`${metric}: expected ${wanted}, it says ${says}`];
    }),
  ];
}
