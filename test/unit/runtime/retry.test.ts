import { describe, expect, it } from 'vitest';
import { PlumblineError } from '../../../src/errors.ts';
import { createHealth } from '../../../src/runtime/health.ts';
import { patiently } from '../../../src/runtime/retry.ts';

const unavailable = new PlumblineError('PLB-LOG-UNAVAILABLE', 'not now', { retryable: true });

function patience(isStopping = () => false) {
  const pauses: number[] = [];
  const health = createHealth();
  const sleep = async (ms: number) => void pauses.push(ms);
  return { pauses, health, parts: { sleep, random: () => 0.5, health, isStopping } };
}

describe('patiently', () => {
  it('tries again with growing, capped pauses, and health says so meanwhile', async () => {
    const { pauses, health, parts } = patience();
    const postures: string[] = [];
    let attempts = 0;
    const result = await patiently('task', parts, async () => {
      postures.push(health.report().posture);
      if (++attempts < 13) throw unavailable;
      return 'done';
    });
    expect(result).toBe('done');
    expect(postures.slice(0, 3)).toEqual(['nominal', 'degraded', 'degraded']);
    expect(health.report()).toMatchObject({ posture: 'nominal', counters: { retries: 12 } });
    expect(pauses.slice(0, 3)).toEqual([37.5, 75, 150]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  });

  it('throws what trying again does not mend, and anything once it stops', async () => {
    const fenced = new PlumblineError('PLB-LOG-FENCED', 'gone');
    await expect(patiently('t', patience().parts, () => Promise.reject(fenced))).rejects.toBe(fenced);
    await expect(patiently('t', patience(() => true).parts, () => Promise.reject(unavailable))).rejects.toBe(
      unavailable,
    );
  });
});
