import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
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

/** A part of a document that is there in one, or differs. */
interface Change {
  readonly what: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Keys that differ. */
  readonly keys: readonly string[];
}

type Parts = { readonly [name: string]: unknown };

function changesBetween(a: string, b: string): readonly Change[] {
  const [before, after] = [partsOf(a), partsOf(b)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((what): Change[] => {
    const [x, y] = [before[what], after[what]];
    if (JSON.stringify(x) === JSON.stringify(y)) return [];
    if (x === undefined) return [{ what, kind: 'added', keys: [] }];
    if (y === undefined) return [{ what, kind: 'removed', keys: [] }];
    return [{ what, kind: 'changed', keys: keysThatDiffer(x, y) }];
  });
}

/** Constraints and parameters by name, the rest by key. Both documents have been checked. */
function partsOf(text: string): Parts {
  const {
    constraints = [],
    parameters = {},
    ...rest
  } = parse(text, { maxAliasCount: 0 }) as {
    constraints?: readonly { id: string }[];
    parameters?: Parts;
  } & Parts;
  return {
    ...Object.fromEntries(constraints.map((one) => [`constraint ${one.id}`, one])),
    ...Object.fromEntries(Object.entries(parameters).map(([name, one]) => [`parameter ${name}`, one])),
    ...rest,
  };
}

function keysThatDiffer(a: unknown, b: unknown): readonly string[] {
  const isParts = (value: unknown): value is Parts =>
    value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isParts(a) || !isParts(b)) return [];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

function render(changes: readonly Change[], tally: Tally): string {
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
