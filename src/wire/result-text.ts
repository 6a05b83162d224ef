import type { ResultTransport } from './wire.ts';

/** An answer's JSON with what the transport adds. */
export function resultText(json: string, { controlOffset, inputOffset }: ResultTransport): string {
  const input = inputOffset === null ? '' : `,"input_offset":${inputOffset}`;
  return `${json.slice(0, -1)},"control_offset":${controlOffset}${input}}`;
}
