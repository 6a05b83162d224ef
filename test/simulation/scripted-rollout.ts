import { requestRecord } from '../../producers/requests.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import type { Request } from '../../src/rollout/request.ts';
import { append, settle } from './history.ts';
import type { Chance } from './prng.ts';
import { begin, comeToRest, nextOf, plainRecord } from './rollout-history.ts';
import { FAULTY_AMOUNT, policyOf } from './rollout-setting.ts';
import { topics, type World } from './world.ts';

/** Nothing happens by chance: the last of what there is to pick from. */
export const NO_CHANCE: Chance = {
  next: () => 0.99,
  below: (n) => Math.min(n - 1, 2),
  is: () => false,
  pick: (items) => {
    const last = items[items.length - 1];
    if (last === undefined) throw new Error('nothing to pick from');
    return last;
  },
};

export const SCRIPTED_POLICY: Policy = {
  ...policyOf(NO_CHANCE),
  approvals: { needed: 1, roles: [] },
  shadow: { minAnswers: 1, minDurationMs: 1_000 },
  canary: {
    minAnswers: 1,
    minDurationMs: 1_000,
    steps: [0.3, 0.9],
    minAccounts: 0,
    isAutomatic: false,
    pinned: [],
    excluded: [],
  },
  guards: [{ metric: 'fault_share', windowMs: null, atMost: 0, minAnswers: 1 }],
};

const DEALS = 5;
const STEP_MS = 21_000;

/** A version goes all the way to active, and is rolled back; or, in its canary, meets what it faults on. */
export async function playScript(world: World, version: string, faultsInCanary: boolean): Promise<void> {
  let number = 0;
  let round = 0;
  const pass = async (): Promise<void> => {
    await settle(world);
    world.now += STEP_MS;
    await settle(world);
  };
  const ask = async (request: Request): Promise<void> => {
    await append(world, [requestRecord(topics, request)]);
    await pass();
  };
  const said = () => ({ id: `r${number++}`, at: world.now });
  const changeAll = async (amountOf: (deal: number) => number): Promise<void> => {
    round++;
    for (let deal = 0; deal < DEALS; deal++)
      await append(world, [
        plainRecord(world, 'deal', deal, { eventId: `${round} ${deal}`, version: round, value: amountOf(deal) }),
      ]);
    await pass();
  };

  await begin(world, 'a-desk');
  await changeAll((deal) => deal % 3);
  await ask({ ...said(), by: 'bob', kind: 'propose', set: 'desk', version, moves: [] });
  // Validated, approved, in its shadow, in both steps of its canary.
  for (let step = 0; step < 5; step++) {
    await ask(nextOf(world, NO_CHANCE, SCRIPTED_POLICY, 'desk', said()));
    await changeAll((deal) => (deal + step) % 3);
  }
  if (faultsInCanary) await changeAll(() => FAULTY_AMOUNT);
  else {
    await ask(nextOf(world, NO_CHANCE, SCRIPTED_POLICY, 'desk', said()));
    await ask({ ...said(), by: 'cat', kind: 'roll_back', set: 'desk' });
  }
  world.calm();
  await comeToRest(world);
}
