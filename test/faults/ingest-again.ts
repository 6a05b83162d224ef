import type { CompiledSet } from '../../src/compiler/compile.ts';
import { overlayOn } from '../../src/log/overlay.ts';
import type { NewRecord } from '../../src/log/port.ts';
import type { ControlFollower } from '../../src/runtime/control.ts';
import { createHealth } from '../../src/runtime/health.ts';
import { ingestStage } from '../../src/runtime/ingest-stage.ts';
import { waiverValue } from '../../src/scoring/evidence.ts';
import { standingControl } from '../support/standing-control.ts';
import type { Evidence } from './invariants.ts';

export interface IngestedAgain {
  readonly topic: string;
  readonly partition: number;
  readonly outputs: readonly NewRecord[];
  /** The task's state after the last input. */
  readonly state: ReadonlyMap<string, string>;
}

/** Each partition of inputs, ingested once more in one go, by the step alone. */
export function ingestAgain(evidence: Evidence): readonly IngestedAgain[] {
  const { topics, contracts, partitions, wire, records, sets } = evidence;
  const parts = {
    topics,
    contracts,
    wire,
    health: createHealth(),
    control: standing(sets),
    waiverValue,
    partitionsOf: () => partitions,
  };
  return (['deal', 'account'] as const).flatMap((entity) =>
    Array.from({ length: partitions }, (_, partition) => {
      const stage = ingestStage(parts, entity, partition);
      const { topic } = stage.input;
      const state = overlayOn({ get: () => undefined, range: () => [] });
      const outputs = (records.get(topic)?.[partition] ?? []).flatMap((record) => stage.take(state, record).outputs);
      return {
        topic,
        partition,
        outputs,
        state: new Map(
          [...state.changes].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
        ),
      };
    }),
  );
}

/** The control state, which stands still from the first input to the last. */
function standing(sets: readonly CompiledSet[]): ControlFollower {
  const of = (entity: 'deal' | 'account') =>
    sets.filter((set) => set.entity === entity).map((active) => ({ active, fallback: null }));
  return standingControl({ offset: sets.length, sets: { deal: of('deal'), account: of('account') } });
}
