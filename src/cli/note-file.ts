import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { PlumblineError } from '../errors.ts';

/**
 * Writes a small JSON file beside the log: whoever reads it finds the one before or this one, whole.
 * @throws PlumblineError PLB-CLI-NOTE, retryable where the disk is full
 */
export function writeNote(file: string, value: object): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(temporary, 'w');
    try {
      writeSync(descriptor, `${JSON.stringify(value)}\n`);
      // Before the rename: a power failure must not leave the name on an empty file.
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PlumblineError('PLB-CLI-NOTE', `can't write \`${file}\`: ${message}`, {
      cause,
      retryable: code === 'ENOSPC' || code === 'EDQUOT',
      hint: 'look at free disk space and at who may write in the data directory',
    });
  }
}

/** The JSON object in a note; null where there is none. @throws PlumblineError PLB-CLI-NOTE where it can't be read */
export function readNote(file: string, ifUnreadable: string): { readonly [member: string]: unknown } | null {
  let reason = 'it holds no JSON object';
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as { [member: string]: unknown };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    reason = error instanceof Error ? error.message : String(error);
  }
  throw unreadableNote(file, reason, ifUnreadable);
}

export const unreadableNote = (file: string, reason: string, hint: string): PlumblineError =>
  new PlumblineError('PLB-CLI-NOTE', `can't read \`${file}\`: ${reason}`, { hint });
