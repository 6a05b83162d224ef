import { SetFault } from '../../src/compiler/set-fault.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { Log, StateReader, TaskCommit, TaskSession } from '../../src/log/port.ts';
import { type ControlState, NO_FACTS, reduce } from '../../src/rollout/control-state.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import type { ControlFollower } from '../../src/runtime/control.ts';
import { controlStage } from '../../src/runtime/control-stage.ts';
import { openSignaller } from '../../src/runtime/signals.ts';
import type { ActiveSet } from '../../src/scoring/active-set.ts';
import type { ControlFact } from '../../src/scoring/control-fact.ts';
import { JOB_KEY } from '../../src/scoring/state-keys.ts';
import { type Setting, topics, type WorldFaults } from './world.ts';

export interface Planted {
  /** The invariant that has to break. */
  readonly breaks: string;
  readonly setting?: (setting: Setting, policy: Policy) => Partial<Setting>;
  readonly tamper?: NonNullable<WorldFaults['tamper']>;
}

/** What is planted, by what it does. */
export const PLANTED: { readonly [what: string]: Planted } = {
  'a controller that does not wait for its own facts': {
    breaks: 'own-facts',
    setting: ({ control }) => ({ control: (parts) => ({ ...control(parts), prepare: () => null }) }),
  },
  'two controllers that both may write': { breaks: 'audit', setting: () => ({ log: unfenced }) },
  'a controller that forgets what it has answered': {
    breaks: 'audit',
    tamper: (_, commit) => withoutKeys(commit, 'q\u0001'),
  },
  'a reducer that keeps approvals when it is validated again': {
    breaks: 'approved',
    setting: (_, policy) => ({
      control: (parts) => controlStage({ ...parts, policy, control: foldedWith(parts.control, keepApprovals) }),
    }),
  },
  'a controller that lets everything pass its guards': {
    breaks: 'guard',
    setting: (_, policy) => ({ control: (parts) => controlStage({ ...parts, policy: { ...policy, guards: [] } }) }),
  },
  'an incident that is not told': {
    breaks: 'told',
    tamper: (_, commit) => ({ ...commit, outputs: commit.outputs.filter(({ topic }) => topic !== topics.incidents) }),
  },
  'a task that acknowledges a rollback before its sweep is through': {
    breaks: 'rolled-back',
    setting: () => ({
      signaller: (parts) => {
        const { after } = openSignaller(parts);
        return { after: (input, state) => after(input, without(state, JOB_KEY)) };
      },
    }),
  },
  'a sweep that is forgotten where it was cut': {
    breaks: 'sweep',
    tamper: (_, commit) => withoutKeys(commit, JOB_KEY),
  },
  'a scoring task without a fallback': {
    breaks: 'one-answer',
    setting: ({ answer }) => ({
      answer: (set, subject) => {
        if (subject.fallbackFrom !== undefined) throw new SetFault('PLB-FAULT-COST', 'planted');
        return answer(set, subject);
      },
    }),
  },
  'a canary that answers for everybody': {
    breaks: 'answering',
    setting: () => ({
      view: (control) =>
        seenAs(control, (set) =>
          set.candidate === undefined || set.candidate.share === 0
            ? set
            : { ...set, candidate: { ...set.candidate, share: 1 } },
        ),
    }),
  },
};

const withoutKeys = (commit: TaskCommit, prefix: string): TaskCommit => ({
  ...commit,
  state: new Map([...commit.state].filter(([key]) => !key.startsWith(prefix))),
});

const without = (state: StateReader, hidden: string): StateReader => ({
  get: (key) => (key === hidden ? undefined : state.get(key)),
  range: (from, to, limit) => state.range(from, to, limit),
});

/** Its owners write on when another one has the task. */
const unfenced = (log: Log): Log => ({
  ...log,
  async openTask(input, rebuild) {
    let session = await log.openTask(input, rebuild);
    if (input.stage !== 'control') return session;
    const commit: TaskSession['commit'] = async (whole) => {
      try {
        return await session.commit(whole);
      } catch (error) {
        if (!(error instanceof PlumblineError && error.code === 'PLB-LOG-FENCED')) throw error;
        session = await log.openTask(input, rebuild);
        return session.commit(whole);
      }
    };
    return {
      get position() {
        return session.position;
      },
      get commitNumber() {
        return session.commitNumber;
      },
      state: session.state,
      commit,
      confirm: async () => {},
      close: () => session.close(),
    };
  },
});

/** The same facts, as another reducer understands them. */
const foldedWith = (
  control: ControlFollower,
  step: (state: ControlState, fact: ControlFact) => ControlState,
): ControlFollower => ({
  ...control,
  get offset() {
    return control.offset;
  },
  stateAt(offset) {
    let state = NO_FACTS;
    for (let at = 0; at < offset; at++) state = step(state, control.fact(at));
    return state;
  },
});

function keepApprovals(state: ControlState, fact: ControlFact): ControlState {
  const after = reduce(state, fact);
  if (fact.kind !== 'validated') return after;
  const before = state.sets.get(fact.set)?.rollout;
  const set = after.sets.get(fact.set);
  if (!before || !set?.rollout) return after;
  const rollout = { ...set.rollout, approvals: before.approvals };
  return { ...after, sets: new Map(after.sets).set(fact.set, { ...set, rollout }) };
}

const seenAs = (control: ControlFollower, change: (set: ActiveSet) => ActiveSet): ControlFollower => ({
  ...control,
  get offset() {
    return control.offset;
  },
  viewAt(offset) {
    const view = control.viewAt(offset);
    return { ...view, sets: { deal: view.sets.deal.map(change), account: view.sets.account.map(change) } };
  },
});
