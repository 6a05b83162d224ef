import type { Command } from 'commander';
import { stringify } from 'yaml';
import { readLogSettings, withoutSecrets } from './log-settings.ts';
import { type SettingsFlags, withLogFlags, withStages } from './settings.ts';

export function configCommand(program: Command): void {
  withStages(
    withLogFlags(program.command('config').description('the settings of the log that are in force, without secrets')),
  ).action((flags: SettingsFlags) => {
    process.stdout.write(stringify(withoutSecrets(readLogSettings(flags, process.env))));
  });
}
