import { expect, it } from 'vitest';
import { turnBuffer, writeTurn } from '../../../src/log/embedded/turn.ts';

it('gives the turn to one at a time, and to each', async () => {
  const buffer = turnBuffer();
  let holders = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (name: number): Promise<void> => {
    const turn = writeTurn(buffer);
    for (let i = 0; i < 20; i++) {
      const giveBack = await turn.take();
      most = Math.max(most, ++holders);
      await null;
      holders--;
      giveBack();
      await null;
    }
    done.push(name);
  };
  await Promise.all([work(1), work(2), work(3)]);
  expect([most, done.sort()]).toEqual([1, [1, 2, 3]]);
});

it('goes on where a holder never gives it back', async () => {
  const buffer = turnBuffer();
  await writeTurn(buffer).take();
  const giveBack = await writeTurn(buffer).take();
  giveBack();
  expect(new Int32Array(buffer)[0]).toBe(0);
});
