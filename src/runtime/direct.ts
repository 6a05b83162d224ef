import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import type { Change, Intake } from '../ingest/change.ts';
import { ingestChange } from '../ingest/step.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import { memoryState, stepOn } from '../log/memory-state.ts';
import { textMemo } from '../log/text-memo.ts';
import type { ControlView } from '../scoring/active-set.ts';
import { waiverValue } from '../scoring/evidence.ts';
import type { ScoreOutput } from '../scoring/run.ts';
import { type Answer, answer } from '../scoring/score.ts';
import { resumeJob, type ScoreContext, scoreImage } from '../scoring/step.ts';

export interface DirectOptions {
  readonly contracts: Contracts;
  readonly sets: readonly CompiledSet[];
  /** Time of every answer, ms; null: a change's own. */
  readonly now: number | null;
  /** Whether due times are answered before an entity's next image. */
  readonly due: boolean;
}

/** Both stages without a log: one change in, its outputs out, the state in memory. */
export interface DirectPipeline {
  /** @throws PlumblineError as the ingest step: the change can't be taken, nothing has changed */
  take(change: Change): readonly ScoreOutput[];
}

const REMEMBERED_IMAGES = 10_000;
const TOPICS: { readonly [K in EntityKind]: string } = { deal: 'crm.deal-changes', account: 'crm.account-changes' };

export function openDirect(options: DirectOptions): DirectPipeline {
  const { contracts, sets } = options;
  const ingestState = memoryState();
  const scoreState = memoryState();
  const control: ControlView = {
    offset: 0,
    sets: { deal: activeOf(sets, 'deal'), account: activeOf(sets, 'account') },
  };
  const scoring: ScoreContext = {
    contracts,
    answer: options.due ? answer : (set, subject): Answer => ({ ...answer(set, subject), dueAt: null }),
    controlAt: () => control,
    memo: textMemo<Fields>(REMEMBERED_IMAGES),
    ingestPartitions: 2,
  };
  const offsets = { deal: 0, account: 0 };
  let imagesOffset = 0;
  function take(change: Change): readonly ScoreOutput[] {
    const intake: Intake = { kind: 'import', importId: 'direct' };
    const origin = { topic: TOPICS[change.entity], partition: 0, offset: offsets[change.entity] };
    const ingested = stepOn(ingestState, (state) =>
      ingestChange(
        state,
        { change, intake, origin, redriveOf: null },
        {
          contracts,
          imagesPartitionOf: () => 0,
          imagesPartitions: 1,
          pinnedValue: (entity, set, constraint, fields) => pinnedValue(sets, entity, set, constraint, fields),
        },
      ),
    );
    offsets[change.entity]++;
    const outputs: ScoreOutput[] = [];
    for (const { image } of ingested.images) {
      const timed = options.now === null || image.kind === 'lane_closed' ? image : { ...image, at: options.now };
      let scored = stepOn(scoreState, (state) => scoreImage(state, timed, imagesOffset, scoring));
      outputs.push(...scored.outputs);
      while (scored.isUnfinished) {
        scored = stepOn(scoreState, (state) => resumeJob(state, imagesOffset, scoring));
        outputs.push(...scored.outputs);
      }
      imagesOffset++;
    }
    // What scoring asks of ingest comes in at once.
    return outputs.flatMap((output) => (output.kind === 'move' ? take(output.change) : [output]));
  }

  return { take };
}

const activeOf = (sets: readonly CompiledSet[], entity: EntityKind) =>
  sets
    .filter((set) => set.entity === entity)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((active) => ({ active, fallback: null }));

function pinnedValue(
  sets: readonly CompiledSet[],
  entity: EntityKind,
  name: string,
  constraint: string,
  fields: Fields,
): string | null {
  const set = sets.find((one) => one.name === name && one.entity === entity);
  return set ? waiverValue(set, constraint, fields) : null;
}
