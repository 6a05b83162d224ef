import { factRecord } from '../../producers/control.ts';
import { setRecord } from '../../producers/sets.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';

export interface Activated {
  /** Sets whose version changed. */
  readonly activated: readonly CompiledSet[];
  /** Names of sets that were active and are not among those given. */
  readonly retired: readonly string[];
}

/** Activates those of these sets that were never active: what is, is changed by a rollout. */
export async function activateNewSets(
  log: Log,
  topics: Topics,
  control: ControlFollower,
  sets: readonly CompiledSet[],
  asked: { readonly at: number; readonly by: string },
  wire?: Wire,
): Promise<Activated> {
  await control.refresh();
  const known = control.stateAt(control.offset).sets;
  const fresh = sets.filter(({ name }) => !known.has(name));
  return changeSets(log, topics, control, { activate: fresh, retire: [] }, asked, wire);
}

/** Makes these versions, and no others, the active ones. */
export async function activateSets(
  log: Log,
  topics: Topics,
  control: ControlFollower,
  sets: readonly CompiledSet[],
  asked: { readonly at: number; readonly by: string },
  wire?: Wire,
): Promise<Activated> {
  await control.refresh();
  const retired = [...control.active().keys()].filter((name) => sets.every((set) => set.name !== name)).sort();
  return changeSets(log, topics, control, { activate: sets, retire: retired }, asked, wire);
}

/**
 * Activates and retires where that changes anything: the documents first, then the facts that name them. All facts lie
 * on the log together, so that nobody sees half of the change.
 */
export async function changeSets(
  log: Log,
  topics: Topics,
  control: ControlFollower,
  change: { readonly activate: readonly CompiledSet[]; readonly retire: readonly string[] },
  asked: { readonly at: number; readonly by: string },
  wire?: Wire,
): Promise<Activated> {
  await control.refresh();
  const active = control.active();
  const activated = change.activate.filter((set) => active.get(set.name) !== set.version);
  const retired = change.retire.filter((name) => active.has(name));
  await log.append(
    activated.map((set) =>
      setRecord(topics, { version: set.version, name: set.name, document: set.checked.text }, wire),
    ),
  );
  await log.append([
    ...retired.map((set) => factRecord(topics, { kind: 'retired', set, ...asked }, wire)),
    ...activated.map((set) =>
      factRecord(topics, { kind: 'activated', set: set.name, version: set.version, ...asked }, wire),
    ),
  ]);
  return { activated, retired };
}
