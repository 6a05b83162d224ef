import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { type Explanation, explain } from '../scoring/explain.ts';
import { decodeEvidence } from '../scoring/reproduce.ts';
import { painter } from './colors.ts';
import { type FoundResult, lastResults } from './find-result.ts';
import { loadSet } from './load-sets.ts';
import { withPlace } from './open-log.ts';
import { atLine, readResults } from './read-results.ts';
import { renderExplanation } from './render-explanation.ts';
import { readSettings, type SettingsFlags, withLogFlags } from './settings.ts';

interface ExplainFlags extends SettingsFlags {
  readonly entity?: string;
  readonly id?: string;
  readonly set?: string;
  readonly format: string;
}

export function explainCommand(program: Command): void {
  withLogFlags(
    program
      .command('explain')
      .description('why: each constraint, each sub-expression, and the sum that makes the score'),
  )
    .argument('[result]', 'a file with results; - reads stdin. Or name an entity of the log')
    .option('--entity <kind>', 'deal or account')
    .option('--id <id>')
    .option('--set <set>', "one set only, by its name; for a file of results also a set's document")
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (file: string | undefined, flags: ExplainFlags) => {
      const paint = painter(process.stdout);
      for (const explanation of file === undefined ? await fromLog(flags) : fromFile(file, flags))
        process.stdout.write(
          flags.format === 'json' ? `${JSON.stringify(explanation)}\n` : `${renderExplanation(explanation, paint)}\n`,
        );
    });
}

function explainResult({ result, set }: FoundResult): Explanation {
  const { own, account, now } = decodeEvidence(set, result);
  return explain(set, result, own, account, now);
}

async function fromLog(flags: ExplainFlags): Promise<readonly Explanation[]> {
  if (!flags.entity || !flags.id)
    throw new PlumblineError('PLB-CLI-USAGE', 'what shall be explained?', {
      hint: 'give a file with results, or --entity deal --id D1',
    });
  const { entity, id, set } = flags;
  return withPlace(flags, async (place) => (await lastResults(place, entity, id, set)).map(explainResult));
}

function fromFile(file: string, flags: ExplainFlags): readonly Explanation[] {
  const document = flags.set && /\.ya?ml$/.test(flags.set) ? flags.set : null;
  const name = document === null ? flags.set : undefined;
  const documents = document === null ? readSettings(flags, process.env).setFiles : [document];
  const sets = documents.map(loadSet).flatMap(({ set }) => (set ? [set] : []));
  const wanted = [...readResults(file)].filter(({ result }) => name === undefined || result.set === name);
  if (name !== undefined && wanted.length === 0)
    throw new PlumblineError('PLB-CLI-NO-RESULT', `\`${file}\` has no result of the set \`${name}\``, {
      hint: 'leave --set out to see them all',
    });
  return wanted.map(({ result, where }) => {
    const set = sets.find((one) => one.version === result.set_version);
    if (!set)
      throw new PlumblineError(
        'PLB-CLI-SET',
        `no set at hand has version ${result.set_version.slice(0, 12)} of \`${result.set}\``,
        { where, hint: 'give its document with --set FILE.yaml' },
      );
    return atLine(where, () => explainResult({ result, set }));
  });
}
