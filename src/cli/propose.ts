import { type Command, InvalidArgumentError } from 'commander';
import { setRecord } from '../../producers/sets.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { formatMove, parseMove } from '../rollout/moves.ts';
import { regression } from '../runtime/regression.ts';
import type { ExpectedMove } from '../scoring/control-fact.ts';
import { isPosture } from '../scoring/posture.ts';
import { movesIn } from '../scoring/tally.ts';
import { answerFormat, askController, tell, whoAmI } from './ask-controller.ts';
import { controlOf } from './control-state.ts';
import { requireSets } from './load-sets.ts';
import { type Place, withPlace } from './open-log.ts';
import { progress } from './progress.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ProposeFlags extends SettingsFlags {
  readonly reason: string;
  readonly by?: string;
  readonly expect?: readonly ExpectedMove[];
  readonly expectFromDiff?: boolean;
  readonly format: string;
}

export function proposeCommand(program: Command): void {
  withLogFlags(
    program
      .command('propose')
      .description('propose a version of a constraint set: the first step of a rollout')
      .argument('<set>', 'its document'),
  )
    .requiredOption('--reason <text>', 'why the rules change')
    .option('--by <who>', 'the author (PLUMBLINE_BY; default: this user)')
    .option(
      '--expect <move>',
      'entities that are expected to move, such as healthy>watch=12 or watch>healthy=5%; may be given again',
      (text: string, before: readonly ExpectedMove[] = []) => [...before, readMove(text)],
    )
    .option('--expect-from-diff', 'expect whom the recorded images say it moves: for those who approve to look at')
    .addOption(answerFormat())
    .action(async (file: string, flags: ProposeFlags) => {
      const [set] = requireSets([file]);
      if (set === undefined) return;
      await withPlace(flags, async (place) => {
        const { log, topics, wire } = place;
        const { name, version, checked } = set;
        // The document first: the controller looks for it.
        await log.append([setRecord(topics, { version, name, document: checked.text }, wire)]);
        const { reason, expect: given = [], by = whoAmI() } = flags;
        const moves = flags.expectFromDiff ? [...given, ...(await movesOf(place, set))] : given;
        if (flags.expectFromDiff && flags.format === 'text')
          process.stdout.write(`expects ${moves.length === 0 ? 'nobody to move' : moves.map(formatMove).join(', ')}\n`);
        tell(await askController(place, { kind: 'propose', set: name, version, moves, by, reason }), flags.format);
      });
    });
}

/** Whom the version moves from where the active one has them, by the recorded images. */
async function movesOf(place: Place, set: CompiledSet): Promise<readonly ExpectedMove[]> {
  const contracts = loadContracts();
  const control = await controlOf(place, contracts);
  const active = control.active().get(set.name);
  if (active === undefined) return [];
  const shown = progress(process.stderr, 'images');
  const { log, topics, wire } = place;
  const tally = await regression(log, topics, wire, contracts, control.compiled(active), set, shown.step).finally(
    shown.end,
  );
  return movesIn(tally).flatMap(({ from, to, count }): ExpectedMove[] =>
    isPosture(from) && isPosture(to) ? [{ from, to, atMost: count, of: 'count' }] : [],
  );
}

function readMove(text: string): ExpectedMove {
  const move = parseMove(text);
  if (move !== null) return move;
  throw new InvalidArgumentError('expected FROM>TO=COUNT or FROM>TO=SHARE%, with postures such as healthy>watch');
}

/** @throws PlumblineError PLB-ROLLOUT-NONE */
export function nothingProposed(set: string): never {
  throw new PlumblineError('PLB-ROLLOUT-NONE', `nothing of \`${set}\` is under way`, {
    hint: '`plumbline propose DOCUMENT` begins a rollout',
  });
}
