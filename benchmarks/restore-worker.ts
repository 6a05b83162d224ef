import { Worker as Thread } from 'node:worker_threads';
import { defaultThreads } from '../src/cli/threads.ts';

// Restores on threads, as `plumbline run` does; tells the seconds, the first connection included, and the memory.
const settings: { readonly data_dir: string } = JSON.parse(process.argv[2] ?? '{}');
const of = defaultThreads();
const start = performance.now();
const resident = await Promise.all(
  Array.from({ length: of }, (_, index) => {
    const own = { ...settings, data_dir: `${settings.data_dir}-${index}` };
    const thread = new Thread(new URL('restore-thread.ts', import.meta.url), {
      workerData: { settings: own, index, of },
    });
    return new Promise<number>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
  }),
);
const seconds = (performance.now() - start) / 1000;
process.stdout.write(JSON.stringify({ seconds, residentMb: Math.max(...resident) / 2 ** 20 }));
