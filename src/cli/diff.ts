import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { changesBetween, type DocumentChange } from '../evidence/document-changes.ts';
import type { ControlFollower } from '../runtime/control.ts';
import { regression } from '../runtime/regression.ts';
import { entitiesIn, movesIn, type Tally } from '../scoring/tally.ts';
import { controlOf } from './control-state.ts';
import { requireSets } from './load-sets.ts';
import { withPlace } from './open-log.ts';
import { printable } from './printable.ts';
import { progress } from './progress.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

export function diffCommand(program: Command): void {
  withLogFlags(
    program
      .command('diff')
      .description('what differs between two versions of a set: by constraint, and who would stand elsewhere')
      .argument('<a>', 'a document, or the beginning of a version that is on the log')
      .argument('<b>'),
  )
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action((a: string, b: string, flags: SettingsFlags & { format: string }) =>
      withPlace(flags, async (place) => {
        const { log, topics, wire } = place;
        const contracts = loadContracts();
        const control = await controlOf(place, contracts);
        await control.refreshDocuments();
        const [before, after] = [versionOf(a, control), versionOf(b, control)];
        if (before.name !== after.name)
          throw new PlumblineError('PLB-CLI-USAGE', `\`${before.name}\` and \`${after.name}\` are two sets`, {
            hint: 'give two versions of one',
          });
        const shown = progress(process.stderr, 'images');
        const tally = await regression(log, topics, wire, contracts, before, after, shown.step);
        shown.end();
        const changes = changesBetween(before.checked.text, after.checked.text);
        if (flags.format === 'json') {
          const moves = movesIn(tally);
          const found = { a: before.version, b: after.version, changes, entities: entitiesIn(tally), moves };
          process.stdout.write(`${JSON.stringify({ ...found, movers: tally.movers })}\n`);
        } else process.stdout.write(render(changes, tally));
      }),
    );
}

function versionOf(text: string, control: ControlFollower): CompiledSet {
  if (existsSync(text)) {
    const [set] = requireSets([text]);
    if (set !== undefined) return set;
  }
  const [version, ...others] = /^[0-9a-f]{4,64}$/.test(text) ? control.versionsLike(text) : [];
  if (version !== undefined && others.length === 0) return control.compiled(version);
  throw new PlumblineError('PLB-CLI-FILE', `\`${text.slice(0, 100)}\` is no document, and no version on the log`, {
    hint:
      others.length > 0 ? 'several versions begin with it: give more digits' : '`plumbline rollouts` shows versions',
  });
}

function render(changes: readonly DocumentChange[], tally: Tally): string {
  const moves = movesIn(tally);
  return [
    ...(changes.length === 0 ? ['the documents say the same'] : []),
    ...changes.map(
      ({ what, kind, keys }) =>
        `${kind.padEnd(8)} ${printable(what)}${keys.length > 0 ? `: ${keys.map(printable).join(', ')}` : ''}`,
    ),
    '',
    `${entitiesIn(tally)} entities over ${tally.answers} recorded images: ${moves.length === 0 ? 'nobody stands elsewhere' : ''}`,
    ...moves.map(({ from, to, count }) => `  ${String(count).padStart(6)}  ${from} > ${to}`),
    ...tally.movers.map(
      ({ entity, id, from, to, because }) =>
        `  ${entity} ${printable(id)}: ${from} > ${to} (${because.map(printable).join(', ')})`,
    ),
    ...(tally.faults > 0 ? [`  ${tally.faults} faults`] : []),
    '',
  ].join('\n');
}
