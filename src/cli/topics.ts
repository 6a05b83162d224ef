import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { kafkaSettingsOf } from './kafka-settings.ts';
import { type LogSettings, readLogSettings } from './log-settings.ts';
import { layoutsOf } from './open-log.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

export function topicsCommand(program: Command): void {
  const group = program.command('topics').description("the cluster's topics");

  withLogFlags(
    group.command('create').description('make those that are not there; the others stay as they are'),
  ).action(async (flags: SettingsFlags) => {
    const settings = kafkaOnly(flags);
    const { createTopics } = await import('../log/kafka/topics.ts');
    const made = await createTopics(kafkaSettingsOf(settings), await layoutsOf(settings));
    for (const name of made) process.stdout.write(`${name} is there now\n`);
  });

  withLogFlags(group.command('check').description('compare partitions, replication and retention; silent when right'))
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (flags: SettingsFlags & { format: string }) => {
      const settings = kafkaOnly(flags);
      const { layoutProblems } = await import('../log/kafka/topics.ts');
      const problems = await layoutProblems(kafkaSettingsOf(settings), await layoutsOf(settings));
      if (flags.format === 'json') process.stdout.write(`${JSON.stringify(problems)}\n`);
      else
        for (const { message, isFatal } of problems)
          process.stderr.write(`${isFatal ? 'error' : 'warning'} PLB-LOG-LAYOUT: ${message}\n`);
      if (problems.length > 0) process.exitCode = EXIT.invalid;
    });
}

/** Asked of a command that only Kafka has, the log needn't be named. */
function kafkaOnly(flags: SettingsFlags): LogSettings {
  const settings = readLogSettings({ ...flags, log: flags.log ?? 'kafka' }, process.env);
  if (settings.log === 'kafka') return settings;
  throw new PlumblineError('PLB-CLI-SETTING', 'the embedded log makes its topics by itself', {
    hint: 'leave --log out, or name kafka',
  });
}
