import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readNote, writeNote } from './note-file.ts';

/** Where a processor listens; the id tells it from another that later has the same directory, or the same port. */
export interface ProcessorNote {
  readonly url: string;
  readonly id: string;
}

const fileIn = (dataDir: string): string => join(dataDir, 'processor.json');

export const noteProcessor = (dataDir: string, note: ProcessorNote): void =>
  writeNote(fileIn(dataDir), { pid: process.pid, ...note });

/** null where no processor has left one, or what lies there can't be read: then nobody can be asked. */
export function notedProcessor(dataDir: string): ProcessorNote | null {
  try {
    const note = readNote(fileIn(dataDir), '');
    return typeof note?.url === 'string' && typeof note.id === 'string' ? { url: note.url, id: note.id } : null;
  } catch {
    return null;
  }
}

/** Takes the note away, unless a successor has put its own there. */
export function dropNote(dataDir: string, id: string): void {
  if (notedProcessor(dataDir)?.id === id) rmSync(fileIn(dataDir), { force: true });
}
