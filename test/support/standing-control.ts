import { NO_FACTS } from '../../src/rollout/control-state.ts';
import type { ControlFollower } from '../../src/runtime/control.ts';
import type { ControlView } from '../../src/scoring/active-set.ts';

/** A control log that stands still at this view, for ingest alone: no fact is ever read from it. */
export const standingControl = (view: ControlView): ControlFollower => ({
  offset: view.offset,
  refresh: async () => {},
  fact: () => ({ kind: 'other' }),
  active: () => new Map(),
  stateAt: () => NO_FACTS,
  chainAt: () => '',
  refreshDocuments: async () => {},
  versionsLike: () => [],
  isKnown: () => false,
  compiled: () => {
    throw new Error('none');
  },
  viewAt: () => view,
});
