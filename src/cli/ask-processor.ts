import { notedProcessor } from './processor-note.ts';

const STATUS_TIMEOUT_MS = 2_000;

export interface ProcessorStatus {
  readonly running: boolean;
  readonly url: string | null;
  readonly posture: string | null;
  readonly reasons: readonly string[];
}

/**
 * Asks the processor that says it runs on this log. One that was killed doesn't answer, and another that has its port
 * by now answers with an id of its own.
 */
export async function askProcessor(dataDir: string): Promise<ProcessorStatus> {
  const nobody: ProcessorStatus = { running: false, url: null, posture: null, reasons: [] };
  const note = notedProcessor(dataDir);
  if (note === null) return nobody;
  try {
    const response = await fetch(`${note.url}/v1/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) });
    const { id, posture, reasons } = (await response.json()) as { id: string; posture: string; reasons: string[] };
    return id === note.id ? { running: true, url: note.url, posture, reasons } : nobody;
  } catch {
    return nobody;
  }
}
