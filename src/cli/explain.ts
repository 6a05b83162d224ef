import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { explain } from '../scoring/explain.ts';
import { decodeEvidence } from '../scoring/reproduce.ts';
import type { Result } from '../scoring/result.ts';
import { painter } from './colors.ts';
import { type FoundResult, lastResults } from './find-result.ts';
import { jsonLines } from './json-lines.ts';
import { loadSet, readText } from './load-sets.ts';
import { openExistingLog } from './open-log.ts';
import { renderExplanation } from './render-explanation.ts';
import { dataDirOf, readSettings, type SettingsFlags, withDataDir } from './settings.ts';

interface ExplainFlags extends SettingsFlags {
  readonly entity?: string;
  readonly id?: string;
  readonly set?: string;
  readonly format: string;
}

export function explainCommand(program: Command): void {
  withDataDir(
    program
      .command('explain')
      .description('why: each constraint, each sub-expression, and the sum that makes the score'),
  )
    .argument('[result]', 'a file with results; - reads stdin. Or name an entity of the log')
    .option('--entity <kind>', 'deal or account')
    .option('--id <id>')
    .option('--set <set>', "a set's name on the log; for a file of results also a set's document")
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (file: string | undefined, flags: ExplainFlags) => {
      const paint = painter(process.stdout);
      for (const { result, set } of file === undefined ? await fromLog(flags) : fromFile(file, flags)) {
        const { own, account, now } = decodeEvidence(set, result);
        const explanation = explain(set, result, own, account, now);
        process.stdout.write(
          flags.format === 'json' ? `${JSON.stringify(explanation)}\n` : `${renderExplanation(explanation, paint)}\n`,
        );
      }
    });
}

async function fromLog(flags: ExplainFlags): Promise<readonly FoundResult[]> {
  if (!flags.entity || !flags.id)
    throw new PlumblineError('PLB-CLI-USAGE', 'what shall be explained?', {
      hint: 'give a file with results, or --entity deal --id D1',
    });
  const log = openExistingLog(dataDirOf(flags, process.env));
  try {
    return await lastResults(log, flags.entity, flags.id, flags.set);
  } finally {
    await log.close();
  }
}

function fromFile(file: string, flags: ExplainFlags): readonly FoundResult[] {
  const documents = flags.set && /\.ya?ml$/.test(flags.set) ? [flags.set] : readSettings(flags, process.env).setFiles;
  const sets = documents.map(loadSet).flatMap(({ set }) => (set ? [set] : []));
  return [...jsonLines(readText(file), file)].map(({ value, line }) => {
    const result = value as unknown as Result;
    const set = sets.find((one) => one.version === result.set_version);
    if (!set)
      throw new PlumblineError(
        'PLB-CLI-SET',
        `no set at hand has version ${String(result.set_version).slice(0, 12)} of \`${result.set}\``,
        { where: { file, line }, hint: 'give its document with --set FILE.yaml' },
      );
    return { result, set };
  });
}
