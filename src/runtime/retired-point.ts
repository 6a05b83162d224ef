import type { LogRecord, NewRecord } from '../log/port.ts';
import type { Point, PointPlace } from './stage.ts';

/** A set that is retired gives posture changes and no result: they tell by a header when its task took the fact. */
const HEADER = 'plumbline-point';

export const markRetired = (record: NewRecord, at: PointPlace): NewRecord => ({
  ...record,
  headers: { ...record.headers, [HEADER]: `${at.inputOffset},${at.controlOffset}` },
});

export function retiredAt({ headers }: LogRecord): Point | null {
  const [inputOffset, controlOffset] = (headers[HEADER] ?? '').split(',').map(Number);
  if (!Number.isSafeInteger(inputOffset) || !Number.isSafeInteger(controlOffset)) return null;
  return { inputOffset: inputOffset ?? 0, controlOffset: controlOffset ?? 0, due: null, swept: null };
}
