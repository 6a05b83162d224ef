import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { describeLog, specs } from './conformance.ts';

describeLog('simulated', () => {
  const storage = createStorage(specs);
  return { open: () => openSimulatedLog(storage, { clock: () => 0 }), dispose: async () => {} };
});
