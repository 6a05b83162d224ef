import { type Command, Option } from 'commander';
import { lagOf, stagesNobodyRuns, totalLag } from '../runtime/lag.ts';
import { countLetters, type LetterCounts } from '../runtime/letter-states.ts';
import {
  type Dirty,
  dirtyEntities,
  type IncompleteEntity,
  incompleteEntities,
  type Listed,
} from '../runtime/listed-entities.ts';
import { currentPostures, type PostureCounts } from '../runtime/posture-board.ts';
import { askProcessor, type ProcessorStatus } from './ask-processor.ts';
import { withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';
import { SHOWN_ENTITIES } from './processor.ts';
import { dataDirOf, type SettingsFlags, withLogFlags } from './settings.ts';

export function statusCommand(program: Command): void {
  withLogFlags(program.command('status').description('health, lag and postures'))
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (flags: SettingsFlags & { format: string }) => {
      const processor = await askProcessor(dataDirOf(flags, process.env));
      const status = await withPlace(flags, async ({ log, topics }) => {
        const tasks = await lagOf(log, topics);
        return {
          processor,
          lag: totalLag(tasks),
          tasks,
          nobody_runs: await stagesNobodyRuns(log, topics),
          dead_letters: await countLetters(log, topics),
          incomplete: incompleteEntities(log, topics, SHOWN_ENTITIES),
          dirty: dirtyEntities(log, topics, SHOWN_ENTITIES),
          postures: (await currentPostures(log, topics)).counts,
        };
      });
      process.stdout.write(flags.format === 'json' ? `${JSON.stringify(status)}\n` : render(status));
    });
}

function render(status: {
  processor: ProcessorStatus;
  lag: number;
  tasks: readonly { task: string; lag: number }[];
  nobody_runs: readonly string[];
  dead_letters: LetterCounts;
  incomplete: Listed<IncompleteEntity>;
  dirty: Dirty;
  postures: PostureCounts;
}): string {
  const { processor } = status;
  const behind = status.tasks.filter(({ lag }) => lag > 0);
  return [
    processor.running ? `processor     ${processor.posture} at ${processor.url}` : 'processor     not running',
    ...processor.reasons.map((reason) => `              ${reason}`),
    `lag           ${plural(status.lag, 'record')}${behind.length > 0 ? ` in ${behind.length} of ${status.tasks.length} tasks` : ''}`,
    ...behind.map(({ task, lag }) => `              ${task}: ${lag}`),
    ...status.nobody_runs.map((stage) => `nobody runs   ${stage} (plumbline run --stages ${stage})`),
    `dead letters  ${status.dead_letters.open} open of ${status.dead_letters.total}${status.dead_letters.open > 0 ? ' (plumbline dead-letters list --state open)' : ''}`,
    ...renderIncomplete(status.incomplete),
    ...renderDirty(status.dirty),
    'postures',
    ...Object.entries(status.postures).map(
      ([set, counts]) =>
        `  ${set.padEnd(20)} ${Object.entries(counts)
          .map(([posture, count]) => `${posture} ${count}`)
          .join('   ')}`,
    ),
    '',
  ].join('\n');
}

const renderIncomplete = (incomplete: Listed<IncompleteEntity>): readonly string[] =>
  renderListed(
    'incomplete    ',
    'kept, not scored until they have all required fields',
    incomplete,
    ({ entity, id, lacks }) => `${entity} ${printable(id)} lacks ${lacks.join(', ')}`,
  );

const renderDirty = (dirty: Dirty): readonly string[] => [
  ...renderListed(
    'dirty         ',
    'changes may be missing until they are read from the CRM again: plumbline sync',
    dirty,
    ({ entity, id }) => `${entity} ${printable(id)}`,
  ),
  ...dirty.gaps.map(
    ({ entity, id_prefix: prefix }) =>
      `              of all ${entity}s${prefix === '' ? '' : ` ${printable(prefix)}…`} changes may be missing`,
  ),
];

function renderListed<T>(
  title: string,
  meaning: string,
  { count, is_all: isAll, first }: Listed<T>,
  line: (item: T) => string,
): readonly string[] {
  if (count === 0) return [`${title}0`];
  const more =
    count > first.length ? [`              and ${isAll ? plural(count - first.length, 'other') : 'more'}`] : [];
  return [
    `${title}${count}${isAll ? '' : ' or more'} (${meaning})`,
    ...first.map((item) => `              ${line(item)}`),
    ...more,
  ];
}
