import { loadContracts } from '../../schemas/contracts.ts';
import type { ControlState } from '../rollout/control-state.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import { followControl } from '../runtime/control.ts';
import type { Place } from './open-log.ts';

/** What the control log says now. */
export async function controlStateOf({ log, topics }: Place): Promise<ControlState> {
  const contracts = loadContracts();
  const control = await followControl(log, topics, (document) => compileDocument(document, contracts));
  return control.stateAt(control.offset);
}
