import type { ExpectedMove } from '../scoring/control-fact.ts';
import { isPosture } from '../scoring/posture.ts';

/** `healthy>watch=12`, `watch>healthy=5%`. null: it is none. */
export function parseMove(text: string): ExpectedMove | null {
  const [, from = '', to = '', number = '', percent] = /^(\w+)>(\w+)=(\d+(?:\.\d+)?)(%)?$/.exec(text) ?? [];
  if (!isPosture(from) || !isPosture(to) || from === to) return null;
  return percent === undefined
    ? { from, to, atMost: Number(number), of: 'count' }
    : { from, to, atMost: Number(number) / 100, of: 'share' };
}

export const formatMove = ({ from, to, atMost, of }: ExpectedMove): string =>
  `${from}>${to}=${of === 'share' ? `${atMost * 100}%` : atMost}`;
