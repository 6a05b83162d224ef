import { factRecord } from '../../producers/control.ts';
import { setRecord } from '../../producers/sets.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { ControlFollower } from './control.ts';

/**
 * Makes these versions the active ones where they are not yet: the documents first, then the facts that name them.
 * @returns the sets whose version changed
 */
export async function activateSets(
  log: Log,
  topics: Topics,
  control: ControlFollower,
  sets: readonly CompiledSet[],
  asked: { readonly at: number; readonly by: string },
): Promise<readonly CompiledSet[]> {
  await control.refresh();
  const view = control.viewAt(control.offset);
  const active = new Map([...view.sets.deal, ...view.sets.account].map((set) => [set.active.name, set.active.version]));
  const changed = sets.filter((set) => active.get(set.name) !== set.version);
  if (changed.length === 0) return [];
  await log.append(
    changed.map((set) => setRecord(topics, { version: set.version, name: set.name, document: set.checked.text })),
  );
  await log.append(
    changed.map((set) =>
      factRecord(topics, { kind: 'activated', set: set.name, version: set.version, at: asked.at, by: asked.by }),
    ),
  );
  return changed;
}
