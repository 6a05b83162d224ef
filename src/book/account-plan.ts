import { type Owner, ownerOf } from './people.ts';
import { createPrng } from './prng.ts';
import { COMPANY_ENDINGS, COMPANY_STEMS, COUNTRIES } from './words.ts';
import { DAY_MS, workTime } from './work-time.ts';

export type Health = 'strong' | 'steady' | 'wobbly' | 'failing';
export type Segment = 'enterprise' | 'mid-market' | 'smb';

/** What is fixed about an account before its year is told; deals read it too. */
export interface AccountPlan {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly segment: Segment;
  readonly country: string;
  readonly currency: string;
  readonly health: Health;
  readonly owner: Owner;
  readonly signedUpAt: number;
}

const CSMS = 10;

export function planAccount(seed: number, index: number, start: number): AccountPlan {
  const prng = createPrng(seed, `account-plan-${index}`);
  const owner = ownerOf(seed, 'csm', CSMS, prng.int(0, CSMS - 1));
  const place = prng.weighted(COUNTRIES);
  const stem = COMPANY_STEMS[index % COMPANY_STEMS.length];
  const round = Math.floor(index / (COMPANY_STEMS.length * COMPANY_ENDINGS.length));
  return {
    index,
    id: `A-${String(index + 1).padStart(5, '0')}`,
    // Stem and ending walk their lists at different speeds, so that names repeat only after all pairs were used.
    name: `${stem} ${COMPANY_ENDINGS[(index * 7 + Math.floor(index / COMPANY_STEMS.length)) % COMPANY_ENDINGS.length]}${round > 0 ? ` ${round + 1}` : ''}`,
    segment: prng.weighted([
      ['enterprise', 20],
      ['mid-market', 40],
      ['smb', 40],
    ]),
    ...place,
    owner,
    health: prng.weighted<Health>([
      ['strong', 38 + 24 * owner.care],
      ['steady', 24],
      ['wobbly', 14 + 8 * (1 - owner.care)],
      ['failing', 6 + 16 * (1 - owner.care)],
    ]),
    // Three of four are customers before the year begins.
    signedUpAt: workTime(prng, start + (prng.chance(0.75) ? prng.between(-900, -60) : prng.between(0, 270)) * DAY_MS),
  };
}
