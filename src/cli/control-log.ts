import type { Command } from 'commander';
import { decodeFact } from '../../consumers/control.ts';
import { openChain } from '../rollout/chain.ts';
import { readPages } from '../runtime/read-pages.ts';
import { EXIT } from './exit-codes.ts';
import { withRawPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

export function controlCommand(program: Command): void {
  const group = program.command('control').description('the control log: what was decided about versions');
  withLogFlags(
    group.command('verify').description('whether each decision was made on the facts that lie before it, to the byte'),
  ).action((flags: SettingsFlags) =>
    withRawPlace(flags, async ({ log, topics, wire }) => {
      const holds = openChain();
      let facts = 0;
      let sealed = 0;
      const broken: number[] = [];
      for await (const records of readPages(log, topics.control, 0, PAGE)) {
        await wire.prepare(records.map(({ value }) => value));
        for (const record of records) {
          const fact = decodeFact(record, wire);
          const seal = fact.kind === 'other' ? undefined : fact.seal;
          if (!holds(record.value, seal)) broken.push(record.offset);
          if (seal !== undefined) sealed++;
          facts++;
        }
      }
      if (broken.length === 0) {
        process.stdout.write(`${plural(facts, 'fact')}, ${sealed} sealed: all as they were\n`);
        return;
      }
      process.stderr.write(
        `error PLB-CONTROL-CHAIN: what lies before fact ${broken[0]} is not what it was decided on\n  hint: a record was changed or taken away; compare with a copy of the topic\n`,
      );
      process.exitCode = EXIT.failure;
    }),
  );
}
