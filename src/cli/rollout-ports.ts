import { randomUUID } from 'node:crypto';
import { setRecord } from '../../producers/sets.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { type CompiledSet, compileSet } from '../compiler/compile.ts';
import { type Answer, type Asked, kindOf, type RolloutPorts } from '../console/rollouts.ts';
import { PlumblineError } from '../errors.ts';
import { formatInstant } from '../language/contract.ts';
import type { Diagnostic } from '../language/diagnostics.ts';
import { comingStep, versionAsked } from '../rollout/coming-step.ts';
import type { ControlState, SetState } from '../rollout/control-state.ts';
import type { Policy } from '../rollout/policy.ts';
import { rolloutsView, setView } from '../rollout/rollout-view.ts';
import type { ControlFollower } from '../runtime/control.ts';
import { seenContext } from '../runtime/decide-context.ts';
import { followUpsOn } from '../runtime/read-follow-ups.ts';
import type { Switches } from '../runtime/switches.ts';
import { requestOfJson } from '../wire/request-body.ts';
import { answerSoFar, sendRequest } from './ask-controller.ts';
import { controlOf } from './control-state.ts';
import { followUpView } from './follow-ups.ts';
import type { Place } from './open-log.ts';
import { nothingProposed } from './propose.ts';

/** What HTTP does about rollouts: it reads the control log, and asks the controller as the commands do. */
export function rolloutPorts(
  place: Place,
  contracts: Contracts,
  policy: Policy,
  switches: () => Switches,
): RolloutPorts {
  const { log, topics, wire } = place;
  let opened: Promise<ControlFollower> | null = null;

  /** At the present end. One follower for all requests: it reads each fact once. */
  async function control(): Promise<ControlFollower> {
    opened ??= controlOf(place, contracts).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    const follower = await opened;
    await follower.refresh();
    return follower;
  }

  async function views(): Promise<{ readonly state: ControlState; viewOf(name: string, set: SetState): object }> {
    const follower = await control();
    const state = follower.stateAt(follower.offset);
    const context = await seenContext(log, topics, wire, follower, policy, switches().rollouts, Date.now());
    const viewOf = (name: string, set: SetState): object =>
      setView(
        set,
        comingStep(name, state, context),
        set.rollout === null ? [] : context.readingsOf(name, set.rollout),
        context.sweepOf(name),
      );
    return { state, viewOf };
  }

  async function all(): Promise<object> {
    const { state, viewOf } = await views();
    return rolloutsView(state, viewOf);
  }

  async function one(name: string): Promise<object | null> {
    const { state, viewOf } = await views();
    const set = state.sets.get(name);
    return set === undefined ? null : viewOf(name, set);
  }

  async function ask(asked: Asked): Promise<Answer> {
    const { set, id } = asked;
    // First: what has become of it since may not allow it a second time.
    const soFar = id === null ? null : await answerSoFar(place, id);
    const answered = soFar?.answered ?? (await askNow(asked, soFar?.next));
    if ('diagnostics' in answered) return answered;
    return { answered, standing: await (set === null ? all() : one(set)) };
  }

  async function askNow({ action, set, id, body }: Asked, from?: number) {
    const { document, ...asked } = body;
    const proposed = action === 'propose' && set !== null ? readDocument(set, body, contracts) : null;
    if (proposed !== null && 'diagnostics' in proposed) return proposed;
    const kind = kindOf(action);
    const request = requestOfJson(
      {
        moves: [],
        ...asked,
        kind,
        set,
        version: proposed?.version ?? asked.version ?? (await versionOf(kind, set)),
        id: id ?? randomUUID(),
        at: formatInstant(Date.now()),
      },
      {},
    );
    // The document first: the controller looks for it.
    if (proposed !== null) {
      const { version, name, checked } = proposed;
      await log.append([setRecord(topics, { version, name, document: checked.text }, wire)]);
    }
    return sendRequest(place, request, from);
  }

  /** @throws PlumblineError PLB-ROLLOUT-NONE */
  async function versionOf(kind: string, set: string | null): Promise<string | undefined> {
    if (set === null || kind === 'roll_back' || kind === 'close_follow_up' || kind === 'freeze' || kind === 'unfreeze')
      return undefined;
    const follower = await control();
    return versionAsked(kind, follower.stateAt(follower.offset).sets.get(set)) ?? nothingProposed(set);
  }

  const followUps = async (): Promise<readonly object[]> =>
    (await followUpsOn(log, topics)).filter(({ closed }) => closed === null).map(followUpView);

  return { all, one, ask, followUps };
}

/** @throws PlumblineError PLB-REQUEST-DECODE, PLB-ROLLOUT-NAME */
function readDocument(
  name: string,
  { document, reason }: Asked['body'],
  contracts: Contracts,
): CompiledSet | { readonly diagnostics: readonly Diagnostic[] } {
  if (typeof document !== 'string' || typeof reason !== 'string')
    throw new PlumblineError('PLB-REQUEST-DECODE', '`document` and `reason` of a proposal are texts', {
      hint: 'send the constraint set as it is in its file, and why the rules change',
    });
  const { set, diagnostics } = compileSet(`${name}.yaml`, document, contracts);
  if (set === null) return { diagnostics };
  if (set.name === name) return set;
  throw new PlumblineError('PLB-ROLLOUT-NAME', `the document is of \`${set.name}\`, not of \`${name}\``, {
    hint: `POST /v1/rollouts/${set.name}/propose`,
  });
}
