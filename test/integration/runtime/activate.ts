import { factRecord } from '../../../producers/control.ts';
import { setRecord } from '../../../producers/sets.ts';
import type { Log } from '../../../src/log/port.ts';
import { topics, VERSIONS } from '../../simulation/world.ts';

/** Makes sets of the simulation active, by their versions. */
export async function activate(log: Log, versions: readonly string[]): Promise<void> {
  const sets = versions.map((version) => ({ version, name: VERSIONS.get(version)?.name ?? '', document: '' }));
  await log.append(sets.map((set) => setRecord(topics, set)));
  await log.append(
    sets.map(({ version, name }) =>
      factRecord(topics, { kind: 'activated', set: name, version, at: Date.now(), by: 'test' }),
    ),
  );
}
