import type { Command } from 'commander';
import { changeSets } from '../runtime/activate-sets.ts';
import { controlOf } from './control-state.ts';
import { requireSets } from './load-sets.ts';
import { withPlace } from './open-log.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ActivateFlags extends SettingsFlags {
  readonly retire?: readonly string[];
  readonly by: string;
  readonly ifNone?: boolean;
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
