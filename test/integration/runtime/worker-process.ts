// A worker in a process of its own, for tests that kill it: `node worker-process.ts DIRECTORY`.
import { contracts, topics, VERSIONS } from '../../simulation/world.ts';
import { startFakeWorker } from './fake-worker.ts';

const directory = process.argv[2];
if (directory === undefined || VERSIONS.size === 0) throw new Error('usage: worker-process.ts DIRECTORY');
await startFakeWorker({ directory, contracts, topics });
process.send?.('ready');
