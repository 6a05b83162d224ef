import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const STATUS_TIMEOUT_MS = 2_000;

export interface ProcessorStatus {
  readonly running: boolean;
  readonly url: string | null;
  readonly posture: string | null;
  readonly reasons: readonly string[];
}

/** Asks the processor that says it runs on this log; one that was killed doesn't answer. */
export async function askProcessor(dataDir: string): Promise<ProcessorStatus> {
  const nobody: ProcessorStatus = { running: false, url: null, posture: null, reasons: [] };
  try {
    const { url } = JSON.parse(readFileSync(join(dataDir, 'processor.json'), 'utf8')) as { url: string };
    const response = await fetch(`${url}/v1/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) });
    const { posture, reasons } = (await response.json()) as { posture: string; reasons: string[] };
    return { running: true, url, posture, reasons };
  } catch {
    return nobody;
  }
}
