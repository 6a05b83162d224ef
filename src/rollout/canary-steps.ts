import type { Policy } from './policy.ts';

export interface NextStep {
  /** From 1. */
  readonly step: number;
  readonly share: number;
  readonly pinned?: readonly string[];
  readonly excluded?: readonly string[];
}

/**
 * The next step of a canary that says something; null: none is left. A step that holds too few accounts is passed over.
 * @param step that it is in; 0: none yet
 * @param accounts how many there are; null: not known, so that none is passed over
 */
export function nextStep(
  { steps, minAccounts, pinned, excluded }: Policy['canary'],
  step: number,
  accounts: number | null,
): { readonly next: NextStep | null; readonly passedOver: string | null } {
  const holdsEnough = (share: number): boolean => accounts === null || share * accounts >= minAccounts;
  const index = steps.findIndex((share, at) => at >= step && holdsEnough(share));
  const share = steps[index];
  const skipped = steps.slice(step, share === undefined ? steps.length : index);
  return {
    next:
      share === undefined
        ? null
        : {
            ...{ step: index + 1, share },
            ...(pinned.length === 0 ? {} : { pinned }),
            ...(excluded.length === 0 ? {} : { excluded }),
          },
    passedOver:
      skipped.length === 0
        ? null
        : `${skipped.map(percent).join(', ')} of ${accounts} accounts are fewer than ${minAccounts}: passed over`,
  };
}

export const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;
