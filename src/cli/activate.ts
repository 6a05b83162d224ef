import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';
import { changeSets } from '../runtime/activate-sets.ts';
import type { ControlFollower } from '../runtime/control.ts';
import { controlOf } from './control-state.ts';
import { requireSets } from './load-sets.ts';
import { withPlace } from './open-log.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ActivateFlags extends SettingsFlags {
  readonly retire?: readonly string[];
  readonly by: string;
  readonly ifNone?: boolean;
  readonly pastPolicy?: boolean;
}

/** A controller has decided here: what is active is changed by a rollout. @throws PlumblineError PLB-ROLLOUT-POLICY */
function refuseUnderPolicy({ offset, fact }: ControlFollower): void {
  for (let at = 0; at < offset; at++) {
    const one = fact(at);
    if (one.kind === 'other' || one.kind === 'redrive' || one.seal === undefined) continue;
    throw new PlumblineError('PLB-ROLLOUT-POLICY', 'versions are changed by rollouts here, under a policy', {
      hint: '`plumbline propose DOCUMENT`; `--past-policy` does it all the same, and the control log keeps who did',
    });
  }
}

export function activateCommand(program: Command): void {
  withLogFlags(
    program
      .command('activate')
      .description('make these versions the active ones: every task switches at a point that is recorded, and rescores')
      .argument('[set...]', 'documents'),
  )
    .option('--retire <name...>', 'sets that are not to be active any more')
    .option('--if-none', 'only where nothing was ever activated, such as at the first start of an installation')
    .option('--past-policy', 'where rollouts go by a policy all the same: it has no approval, and nobody is asked')
    .option('--by <who>', 'recorded with it', 'cli')
    .action(async (files: string[], flags: ActivateFlags) => {
      const sets = files.length === 0 ? [] : requireSets(files);
      await withPlace(
        flags,
        async (place) => {
          const { log, topics, wire } = place;
          const control = await controlOf(place);
          if (flags.ifNone === true && control.offset > 0) {
            process.stdout.write('nothing changes: what is active was decided before\n');
            return;
          }
          if (flags.pastPolicy !== true) refuseUnderPolicy(control);
          const { activated, retired } = await changeSets(
            log,
            topics,
            control,
            { activate: sets, retire: flags.retire ?? [] },
            { at: Date.now(), by: flags.by },
            wire,
          );
          for (const { name, version } of activated)
            process.stdout.write(`${name} ${version.slice(0, 12)} is active\n`);
          for (const name of retired) process.stdout.write(`${name} is retired\n`);
          if (activated.length + retired.length === 0) process.stdout.write('nothing changes\n');
        },
        { isMade: true },
      );
    });
}
