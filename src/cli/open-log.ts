import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PlumblineError } from '../errors.ts';
import { openEmbeddedLog } from '../log/embedded/open.ts';
import { writeTurn } from '../log/embedded/turn.ts';
import type { Log } from '../log/port.ts';
import { topicNames, topicSpecs } from '../log/topics.ts';

export const topics = topicNames();

/** Opens the embedded log, making it where it is not there yet. */
export function openLog(
  dataDir: string,
  shared: { readonly turn?: SharedArrayBuffer; readonly onAppend?: () => void } = {},
): Log {
  const { turn, onAppend } = shared;
  return openEmbeddedLog({
    directory: dataDir,
    topics: topicSpecs(topics),
    clock: Date.now,
    ...(onAppend ? { onAppend } : {}),
    ...(turn ? { turn: writeTurn(turn) } : {}),
  });
}

/** Opens a log that must be there. @throws PlumblineError PLB-CLI-NO-LOG */
export function openExistingLog(dataDir: string): Log {
  if (!existsSync(join(dataDir, 'log.sqlite')))
    throw new PlumblineError('PLB-CLI-NO-LOG', `there is no log in \`${dataDir}\``, {
      hint: 'start with `npm start`, `plumbline run` or `plumbline ingest`, or name another directory with --data-dir',
    });
  return openLog(dataDir);
}
