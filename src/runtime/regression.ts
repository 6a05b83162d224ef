import { decodeImage } from '../../consumers/images.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import type { Fields } from '../language/contract.ts';
import { memoryState, stepOn } from '../log/memory-state.ts';
import type { Log } from '../log/port.ts';
import { textMemo } from '../log/text-memo.ts';
import type { Topics } from '../log/topics.ts';
import type { ControlView } from '../scoring/active-set.ts';
import { ONLY_ASKED } from '../scoring/canary.ts';
import type { OutcomeLine } from '../scoring/result.ts';
import { answer } from '../scoring/score.ts';
import { tallyKey } from '../scoring/state-keys.ts';
import { resumeJob, type ScoreContext, scoreImage } from '../scoring/step.ts';
import { addTallies, type Tally } from '../scoring/tally.ts';
import type { Wire } from '../wire/wire.ts';
import { pagesOf } from './replay.ts';

const REMEMBERED_IMAGES = 10_000;

/**
 * Runs the recorded images, in their order, past two versions at once, as a shadow would: who stands where in the end
 * under each, to the entity. Nothing is written.
 * @param onOutcomes what the version says of each image
 * @param baseline null: the version is the first of its set, and stands beside itself
 */
export async function regression(
  log: Log,
  topics: Topics,
  wire: Wire,
  contracts: Contracts,
  baseline: CompiledSet | null,
  candidate: CompiledSet,
  onImage: () => void = () => {},
  onOutcomes: (outcomes: readonly OutcomeLine[]) => void = () => {},
): Promise<Tally> {
  const active = {
    active: baseline ?? candidate,
    fallback: null,
    candidate: { set: candidate, since: 0, ...ONLY_ASKED },
  };
  const none: ControlView['sets'] = { deal: [], account: [] };
  const control: ControlView = { offset: 0, sets: { ...none, [candidate.entity]: [active] } };
  const tallies: Tally[] = [];
  for (let partition = 0; partition < log.partitionsOf(topics.images); partition++) {
    const state = memoryState();
    const context: ScoreContext = {
      contracts,
      answer: (set, subject) => {
        const given = answer(set, subject);
        if (set === candidate) onOutcomes(given.result.outcomes);
        return given;
      },
      controlAt: () => control,
      memo: textMemo<Fields>(REMEMBERED_IMAGES),
      ingestPartitions: log.partitionsOf(topics.dealChanges) + log.partitionsOf(topics.accountChanges),
    };
    const { end } = await log.bounds(topics.images, partition);
    for await (const records of pagesOf(log, wire, topics.images, partition, end))
      for (const record of records) {
        onImage();
        const image = decodeImage(record, wire);
        let scored = stepOn(state, (overlay) => scoreImage(overlay, image, record.offset, context));
        while (scored.isUnfinished) scored = stepOn(state, (overlay) => resumeJob(overlay, record.offset, context));
      }
    const text = state.get(tallyKey(candidate.name));
    if (text !== undefined) tallies.push(JSON.parse(text) as Tally);
  }
  return addTallies(candidate.version, tallies);
}
