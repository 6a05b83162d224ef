import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import type { EntityKind } from '../language/contract.ts';
import { emptyRecords } from '../log/embedded/erase.ts';
import type { Log } from '../log/port.ts';
import { eraseFromState, tellsOf } from '../runtime/erase.ts';
import { jsonWire } from '../wire/json-wire.ts';
import { askProcessor } from './ask-processor.ts';
import { audit } from './audit.ts';
import { eraseOnKafka } from './erase-on-kafka.ts';
import { readLogSettings } from './log-settings.ts';
import { openExistingLog, topics } from './open-log.ts';
import { plural } from './plural.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

type EraseFlags = SettingsFlags & { readonly entity: EntityKind; readonly id: string; readonly dryRun?: boolean };

async function eraseHere(log: Log, { entity, id, dryRun }: EraseFlags): Promise<readonly string[]> {
  if (dryRun) return [];
  const held = await eraseFromState(log, topics, entity, id);
  await audit({ log, topics, wire: jsonWire }, 'erase', `one ${entity} was erased`);
  return held;
}

export function eraseCommand(program: Command): void {
  withLogFlags(
    program
      .command('erase')
      .description('remove all that the log and the state hold of a deal or an account; nothing may be running'),
  )
    .addOption(new Option('--entity <kind>').choices(['deal', 'account']).makeOptionMandatory())
    .requiredOption('--id <id>')
    .option('--dry-run', 'only say what would be removed')
    .action(async (flags: EraseFlags) => {
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
      const held = await eraseHere(log, flags).finally(() => log.close());
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
