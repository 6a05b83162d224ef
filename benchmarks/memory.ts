import { compileSet } from '../src/compiler/compile.ts';
import { contracts } from './corpus.ts';
import { dealChange, dealChanges } from './entities.ts';
import { median, type Row, row } from './measure.ts';
import { feed, startProcessor } from './processor.ts';

const CHANGES = 5_000_000;
const ENTITIES = 20_000;
const STEP = 50_000;

/** Small, so that five million results fit on a disk; what is kept in memory doesn't depend on it. */
const SMALL = `
apiVersion: plumbline/v1
kind: ConstraintSet
name: small
entity: deal
scoring: { bands: { watch: 90, at_risk: 70, critical: 50 }, hysteresis: 5 }
constraints:
  - { id: discount, title: Discount, severity: high, weight: 1, require: deal.discount_pct <= 30.0, on_missing: unknown, message: "{{deal.discount_pct}} %" }
  - { id: active, title: Active, severity: low, weight: 1, require: 'now - deal.last_activity_at < duration("240h")', on_missing: unknown, message: quiet }
`;

/** Resident memory of the whole process, threads included, over millions of changes. */
export async function memoryRow(): Promise<Row> {
  const { set, diagnostics } = compileSet('small.yaml', SMALL, contracts);
  if (!set) throw new Error(diagnostics[0]?.message);
  const running = await startProcessor([set]);
  const samples: number[] = [];
  try {
    for (let done = 0; done < CHANGES; done += STEP) {
      await feed(
        running.log,
        dealChanges(STEP, (i) => dealChange((done + i) % ENTITIES, Math.floor((done + i) / ENTITIES))),
      );
      samples.push(process.memoryUsage.rss() / 2 ** 20);
      process.stderr.write(`\r${done + STEP} of ${CHANGES} changes, ${samples[samples.length - 1]?.toFixed(0)} MiB `);
    }
    process.stderr.write('\n');
  } finally {
    await running.stop();
  }
  const last = samples.slice(-Math.floor(samples.length / 3));
  const tenth = Math.ceil(last.length / 10);
  const end = median(last.slice(-tenth));
  const begin = median(last.slice(0, tenth));
  return row(
    `embedded, resident memory at the end of ${CHANGES.toLocaleString('en-US')} changes: at two thirds`,
    'MiB',
    end,
    begin,
    end / begin,
    '<= 1.05',
    `${ENTITIES.toLocaleString('en-US')} entities, one small set`,
  );
}
