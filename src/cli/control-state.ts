import { loadContracts } from '../../schemas/contracts.ts';
import type { Contracts } from '../language/checked-set.ts';
import type { ControlState } from '../rollout/control-state.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import { type ControlFollower, followControl } from '../runtime/control.ts';
import type { Place } from './open-log.ts';

/** Follows a place's control log. */
export const controlOf = ({ log, topics }: Place, contracts: Contracts = loadContracts()): Promise<ControlFollower> =>
  followControl(log, topics, (document) => compileDocument(document, contracts));

/** What the control log says now. */
export async function controlStateOf(place: Place): Promise<ControlState> {
  const control = await controlOf(place);
  return control.stateAt(control.offset);
}
