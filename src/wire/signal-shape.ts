import { z } from 'zod';

const MAX_SETS = 100;
const MAX_NAMED = 500;

const count = z.int().min(0);
const text = z.string().max(2_000);

/** Of at most so many sets, by their names. */
const bySet = <T extends z.ZodType>(one: T) =>
  z.record(text, one).refine((value) => Object.keys(value).length <= MAX_SETS, `at most ${MAX_SETS} sets`);

const mover = z.object({
  entity: z.enum(['deal', 'account']),
  id: text,
  from: text,
  to: text,
  because: z.array(text).max(MAX_NAMED),
});

/** What a task tells of what it counted. Whatever can't be added up would stand in the way of all that comes after. */
export const signalShapes = {
  sweeps: bySet(z.object({ done: count, of: count })),
  tallies: bySet(
    z.object({
      version: text,
      seq: count,
      answers: count,
      faults: count,
      outcomes: count,
      unknown: count,
      cost: count,
      pairs: z.record(z.string().max(40), z.int()),
      movers: z.array(mover).max(MAX_NAMED),
    }),
  ),
  faults: bySet(z.object({ version: text, count })),
} as const;
