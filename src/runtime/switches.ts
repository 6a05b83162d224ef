/** What an operator can switch off while the processor runs. Off is a clean pause: nothing is lost, and it goes on. */
export interface Switches {
  /** CRM events are connected, taken in and scored. */
  readonly processing: boolean;
  /** Rollouts begin and go on; what goes back does so always. */
  readonly rollouts: boolean;
}

export const ALL_ON: Switches = { processing: true, rollouts: true };
