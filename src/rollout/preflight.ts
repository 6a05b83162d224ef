import type { CompiledSet } from '../compiler/compile.ts';
import type { EntityKind } from '../language/contract.ts';
import { validApprovals } from './approval.ts';
import type { ControlState, Rollout } from './control-state.ts';
import type { Policy } from './policy.ts';

export type Outcome = 'pass' | 'fail' | 'cannot_tell';

/** One line of the checklist before a version is validated. */
export interface Check {
  readonly name: 'scope' | 'contracts' | 'inputs' | 'flags' | 'dependencies' | 'approval';
  readonly outcome: Outcome;
  readonly says: string;
}

/** Entities whose images are recorded, and how many of them have a value in each field. */
export interface Coverage {
  readonly deal: Counted;
  readonly account: Counted;
}

export interface Counted {
  readonly entities: number;
  readonly have: ReadonlyMap<string, number>;
}

export interface PreflightFacts {
  readonly set: CompiledSet;
  readonly rollout: Rollout;
  readonly state: ControlState;
  readonly coverage: Coverage;
  readonly policy: Policy;
  /** Recorded time, ms. */
  readonly now: number;
  /** Fields of the schemas that producers have registered last; null: there is no registry. */
  readonly registered: { readonly [K in EntityKind]: ReadonlySet<string> } | null;
  /** The flags. */
  readonly switches: { readonly processing: boolean; readonly rollouts: boolean };
  /** What was reached on the way here. */
  readonly reached: readonly string[];
}

/** What can be known before anything is run. Nothing here lets a version pass, or keeps it from being validated. */
export const preflight = (facts: PreflightFacts): readonly Check[] => [
  scope(facts),
  contracts(facts),
  ...inputs(facts),
  flags(facts),
  dependencies(facts),
  approval(facts),
];

const PLURALS: { readonly [K in EntityKind]: string } = { deal: 'deals', account: 'accounts' };
const KINDS: readonly EntityKind[] = ['deal', 'account'];

function scope({ set, coverage }: PreflightFacts): Check {
  const { entities } = coverage[set.entity];
  const other: EntityKind = set.entity === 'deal' ? 'account' : 'deal';
  return {
    name: 'scope',
    outcome: entities === 0 ? 'cannot_tell' : 'pass',
    says: `${entities} ${PLURALS[set.entity]}; not the ${coverage[other].entities} ${PLURALS[other]}`,
  };
}

function contracts({ set, registered }: PreflightFacts): Check {
  const reads = KINDS.flatMap((kind) => [...set.reads[kind].keys()].map((field) => ({ kind, field })));
  if (registered === null)
    return {
      name: 'contracts',
      outcome: 'pass',
      says: `${reads.length} fields are in the contract; there is no registry`,
    };
  const missing = reads.filter(({ kind, field }) => !registered[kind].has(field));
  return missing.length === 0
    ? { name: 'contracts', outcome: 'pass', says: `${reads.length} fields are in the schemas that are registered` }
    : {
        name: 'contracts',
        outcome: 'fail',
        says: `not in the schemas that are registered: ${missing.map(({ kind, field }) => `${kind}.${field}`).join(', ')}`,
      };
}

/** A field that nobody fills makes its constraints unknown for everybody. */
function inputs({ set, coverage }: PreflightFacts): readonly Check[] {
  return KINDS.flatMap((kind) =>
    [...set.reads[kind].keys()].map((field): Check => {
      const { entities, have } = coverage[kind];
      const count = have.get(field) ?? 0;
      return {
        name: 'inputs',
        outcome: entities === 0 ? 'cannot_tell' : count === 0 ? 'fail' : 'pass',
        says: `${kind}.${field}: ${count} of ${entities} ${PLURALS[kind]} have it`,
      };
    }),
  );
}

function flags({ set, state, rollout, switches }: PreflightFacts): Check {
  const off = Object.entries(switches).flatMap(([name, isOn]) => (isOn ? [] : [name]));
  if (off.length > 0) return { name: 'flags', outcome: 'fail', says: `switched off: ${off.join(', ')}` };
  const frozen = state.sets.get(set.name)?.frozen ?? state.frozen;
  if (frozen !== null)
    return { name: 'flags', outcome: 'fail', says: `rollouts are frozen by ${frozen.by}: ${frozen.reason ?? ''}` };
  return rollout.isPaused
    ? { name: 'flags', outcome: 'fail', says: 'it is paused' }
    : { name: 'flags', outcome: 'pass', says: 'processing and rollouts are on' };
}

const dependencies = ({ reached, policy }: PreflightFacts): Check =>
  policy.keys.length === 0
    ? {
        name: 'dependencies',
        outcome: 'cannot_tell',
        says: `${reached.join(', ')}; no policy was given: --policy FILE`,
      }
    : {
        name: 'dependencies',
        outcome: 'pass',
        says: `${[...reached, `${policy.keys.length} key${policy.keys.length === 1 ? '' : 's'}`].join(', ')}`,
      };

function approval({ policy, rollout, now }: PreflightFacts): Check {
  const { needed, roles } = policy.approvals;
  const may = policy.keys.filter(
    ({ name, role }) => name !== rollout.author && (roles.length === 0 || roles.includes(role)),
  );
  const given = validApprovals(rollout.approvals, policy, now);
  const people = [...new Set(may.map(({ name }) => name))];
  const missing = needed - given.length;
  return {
    name: 'approval',
    outcome: policy.keys.length === 0 ? 'cannot_tell' : people.length < needed ? 'fail' : 'pass',
    says:
      missing <= 0
        ? `approved by ${given.map(({ by }) => by).join(', ')}`
        : `${missing} of ${people.length === 0 ? 'nobody' : people.join(', ')}, not by its author ${rollout.author}`,
  };
}
