import type { CompiledSet } from '../src/compiler/compile.ts';
import type { NewRecord } from '../src/log/port.ts';
import { activateSets } from '../src/runtime/activate-sets.ts';
import { followControl } from '../src/runtime/control.ts';
import type { Installed } from './kafka-cluster.ts';
import { batches, compile } from './processor.ts';

/** Makes the sets active and appends the inputs. */
export async function fill(
  installed: Installed,
  sets: readonly CompiledSet[],
  records: readonly NewRecord[],
): Promise<void> {
  const log = await installed.open(`${installed.directory}-fill`);
  try {
    await activateSets(log, installed.topics, await followControl(log, installed.topics, compile), sets, {
      at: 0,
      by: 'benchmark',
    });
    for (const batch of batches(records)) await log.append(batch);
  } finally {
    await log.close();
  }
}
