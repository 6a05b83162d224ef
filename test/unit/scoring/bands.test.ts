import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandEdgesOf, bandOf } from '../../../src/scoring/bands.ts';
import type { Posture } from '../../../src/scoring/posture.ts';

const edgesOf = (watch: number, hysteresis: number) =>
  bandEdgesOf({ bands: { watch, at_risk: watch / 2, critical: 0 }, hysteresis, severity_floor: {} });

describe('the band of a score', () => {
  it.each<[number, number, number, Posture | null, Posture]>([
    [50.1, 0.2, 5030, 'watch', 'healthy'],
    [50.1, 0.2, 5029, 'watch', 'watch'],
    [50.1, 0.2, 5010, 'healthy', 'healthy'],
    [50.1, 0.2, 5009, null, 'watch'],
    [70.7, 0.1, 7080, 'critical', 'healthy'],
    [90, 5, 9400, 'watch', 'watch'],
    [90, 5, 9400, 'healthy', 'healthy'],
    [33.335, 0, 3333, null, 'watch'],
    [33.335, 0, 3334, null, 'healthy'],
  ])('watch %d + %d, score %d after %s is %s', (watch, hysteresis, score, previous, band) =>
    expect(bandOf(edgesOf(watch, hysteresis), score, previous)).toBe(band),
  );

  it('leaves its band exactly at the sum of two decimals', () => {
    const tenths = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(tenths, tenths, (band, more) => {
        const edges = edgesOf(band / 10, more / 10);
        const sum = (band + more) * 10;
        expect(bandOf(edges, sum, 'watch')).toBe('healthy');
        if (sum > 0) expect(bandOf(edges, sum - 1, 'watch')).not.toBe('healthy');
      }),
    );
  });
});
