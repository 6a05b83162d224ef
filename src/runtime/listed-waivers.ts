import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { wholeFields } from '../ingest/fields.ts';
import type { Waiver } from '../ingest/image.ts';
import type { EntityKind } from '../language/contract.ts';
import { waiverValue } from '../scoring/evidence.ts';
import { objectionTo } from '../scoring/waiver-terms.ts';
import type { Holder } from './waiver-holders.ts';

/**
 * `in_force`; `over`: its time is; `value_changed`: what the constraint reads is not what was waived; `not_allowed`: the
 * active version, if there is one, does not let it be waived so.
 */
export type WaiverState = 'in_force' | 'over' | 'value_changed' | 'not_allowed';

export const WAIVER_STATES: readonly WaiverState[] = ['in_force', 'over', 'value_changed', 'not_allowed'];

export interface ListedWaiver extends Waiver {
  readonly entity: EntityKind;
  readonly id: string;
  readonly state: WaiverState;
}

/** An entity's waivers, each with what it is worth now. @param active by name */
export const listedWaivers = (
  holder: Holder,
  active: ReadonlyMap<string, CompiledSet>,
  contracts: Contracts,
  now: number,
): readonly ListedWaiver[] =>
  holder.waivers.map((waiver) => ({
    ...waiver,
    entity: holder.entity,
    id: holder.id,
    state: stateOf(waiver, holder, active.get(waiver.set), contracts, now),
  }));

function stateOf(
  waiver: Waiver,
  { entity, id, accountId, fields }: Holder,
  set: CompiledSet | undefined,
  contracts: Contracts,
  now: number,
): WaiverState {
  if (waiver.until <= now) return 'over';
  if (set === undefined || set.entity !== entity || objectionTo(set.checked, waiver) !== null) return 'not_allowed';
  const own = wholeFields(contracts[entity], id, accountId, fields);
  return waiverValue(set, waiver.constraint, own) === waiver.value ? 'in_force' : 'value_changed';
}
