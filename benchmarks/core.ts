import type { CompiledSet } from '../src/compiler/compile.ts';
import { judge, makeVerdict, type Verdict } from '../src/scoring/judge.ts';
import type { Sight } from './corpus.ts';
import { type Card, makeCard } from './handwritten/card.ts';
import type { Account, Deal } from './handwritten/contracts.ts';
import { dealDesk } from './handwritten/deal-desk.ts';
import { pipelineHygiene } from './handwritten/pipeline-hygiene.ts';
import { renewalRisk } from './handwritten/renewal-risk.ts';
import { alternate, type Row, row } from './measure.ts';

type ByHand = (sight: Sight, card: Card) => void;

/** The images are decoded against the contract, so that their fields have these types. */
const BY_HAND: { readonly [set: string]: ByHand } = {
  'deal-desk': (sight, card) =>
    dealDesk(
      sight.fields as unknown as Deal,
      sight.account as unknown as Account | null,
      sight.now,
      sight.previousBand,
      card,
    ),
  'pipeline-hygiene': (sight, card) =>
    pipelineHygiene(sight.fields as unknown as Deal, sight.now, sight.previousBand, card),
  'renewal-risk': (sight, card) => renewalRisk(sight.fields as unknown as Account, sight.now, sight.previousBand, card),
};

/** Outcomes, score, band and posture of a set, beside the same rules written by hand. */
export function coreRows(
  sets: readonly CompiledSet[],
  sights: { deal: readonly Sight[]; account: readonly Sight[] },
): Row[] {
  return sets.map((set) => {
    const own = sights[set.entity];
    const byHand = BY_HAND[set.name];
    if (!byHand) throw new Error(`no hand-written ${set.name}`);
    const verdict = makeVerdict(set);
    const card = makeCard(set.checked.constraints.length);
    for (const sight of own) {
      judgeSight(set, sight, verdict);
      byHand(sight, card);
      assertSame(set, sight, verdict, card);
    }
    const repeats = Math.ceil(40_000 / own.length);
    const [ours = 0, hand = 0] = alternate(
      [
        () => {
          for (let i = 0; i < repeats; i++) for (const sight of own) judgeSight(set, sight, verdict);
        },
        () => {
          for (let i = 0; i < repeats; i++) for (const sight of own) byHand(sight, card);
        },
      ],
      15,
    );
    const calls = repeats * own.length;
    const ns = (ms: number): number => (ms * 1e6) / calls;
    return row(`core, ${set.name}: hand-written TypeScript`, 'ns an image', ns(ours), ns(hand), hand / ours, '>= 0.7');
  });
}

const NO_WAIVERS: readonly never[] = [];

export function judgeSight(set: CompiledSet, sight: Sight, verdict: Verdict): void {
  judge(set, sight.fields, sight.account, NO_WAIVERS, sight.now, sight.previousBand, verdict);
}

/** A peer that answers something else isn't one. */
function assertSame(set: CompiledSet, sight: Sight, verdict: Verdict, card: Card): void {
  for (const [index, { id }] of set.checked.constraints.entries())
    for (const what of ['outcomes', 'degrees', 'missing'] as const)
      if (verdict[what][index] !== card[what][index])
        throw new Error(
          `${set.name}/${id}: ${what} ${verdict[what][index]} by us, ${card[what][index]} by hand, of ${JSON.stringify(sight)}`,
        );
  for (const what of ['score', 'band', 'posture'] as const)
    if (verdict[what] !== card[what])
      throw new Error(`${set.name}: ${what} ${verdict[what]} by us, ${card[what]} by hand`);
}
