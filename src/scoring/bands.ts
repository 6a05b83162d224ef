import type { CheckedSet } from '../language/checked-set.ts';
import { snap } from '../language/snap.ts';
import { POSTURES, type Posture } from './posture.ts';

/** In hundredths of a point, as the score is: by band, a score below `enter` is in it, and one below `leave` stays. */
export interface BandEdge {
  readonly enter: number;
  readonly leave: number;
}

export type BandEdges = { readonly [band in Exclude<Posture, 'healthy'>]: BandEdge };

export function bandEdgesOf({ bands, hysteresis }: CheckedSet['scoring']): BandEdges {
  const edge = (points: number): BandEdge => ({ enter: snap(points * 100), leave: snap((points + hysteresis) * 100) });
  return { watch: edge(bands.watch), at_risk: edge(bands.at_risk), critical: edge(bands.critical) };
}

/** The worst band of a score; leaving the previous one takes the hysteresis. */
export function bandOf(edges: BandEdges, score: number, previous: Posture | null): Posture {
  const before = previous === null ? -1 : POSTURES.indexOf(previous);
  if (score < (before >= 3 ? edges.critical.leave : edges.critical.enter)) return 'critical';
  if (score < (before >= 2 ? edges.at_risk.leave : edges.at_risk.enter)) return 'at_risk';
  if (score < (before >= 1 ? edges.watch.leave : edges.watch.enter)) return 'watch';
  return 'healthy';
}
