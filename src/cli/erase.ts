import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import type { EntityKind } from '../language/contract.ts';
import { emptyRecords } from '../log/embedded/erase.ts';
import { eraseFromState, tellsOf } from '../runtime/erase.ts';
import { askProcessor } from './ask-processor.ts';
import { eraseOnKafka } from './erase-on-kafka.ts';
import { readLogSettings } from './log-settings.ts';
import { openExistingLog, topics } from './open-log.ts';
import { plural } from './plural.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

export function eraseCommand(program: Command): void {
  withLogFlags(
    program
      .command('erase')
      .description('remove all that the log and the state hold of a deal or an account; nothing may be running'),
  )
    .addOption(new Option('--entity <kind>').choices(['deal', 'account']).makeOptionMandatory())
    .requiredOption('--id <id>')
    .option('--dry-run', 'only say what would be removed')
    .action(async (flags: SettingsFlags & { entity: EntityKind; id: string; dryRun?: boolean }) => {
      const settings = readLogSettings(flags, process.env);
      const { data_dir: dataDir } = settings;
      if (settings.log === 'kafka') {
        process.stdout.write(await eraseOnKafka(settings, flags.entity, flags.id, flags.dryRun ?? false));
        return;
      }
      if ((await askProcessor(dataDir)).running)
        throw new PlumblineError('PLB-CLI-RUNNING', 'a processor is running on this log', {
          hint: 'stop it first: it holds what is to be erased',
        });
      const log = openExistingLog(dataDir);
      const held = await (flags.dryRun
        ? Promise.resolve([])
        : eraseFromState(log, topics, flags.entity, flags.id)
      ).finally(() => log.close());
      const emptied = emptyRecords(dataDir, tellsOf(flags.entity, flags.id), flags.dryRun ?? false);
      const verb = flags.dryRun ? 'would be emptied' : 'emptied';
      for (const [topic, count] of emptied) process.stdout.write(`${topic}: ${plural(count, 'record')} ${verb}\n`);
      if (held.length > 0) process.stdout.write(`removed from the state of: ${held.join(', ')}\n`);
      if (emptied.size === 0 && held.length === 0)
        process.stdout.write(`nothing is known of ${flags.entity} ${flags.id}\n`);
      else if (!flags.dryRun)
        process.stdout.write(
          'nothing is left to age out: this log keeps one copy. What was exported or alerted elsewhere is not reached.\n',
        );
    });
}
