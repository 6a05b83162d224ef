import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { formatInstant } from '../language/contract.ts';
import { didYouMean } from '../language/suggest.ts';
import { percent } from '../rollout/canary-steps.ts';
import { type ComingStep, comingStep, versionAsked } from '../rollout/coming-step.ts';
import { activeOf, type ControlState, type Freeze, type Rollout, type SetState } from '../rollout/control-state.ts';
import { type GuardReading, measured } from '../rollout/guards.ts';
import { formatMove } from '../rollout/moves.ts';
import type { SweepProgress } from '../rollout/request.ts';
import { rolloutsView, setView } from '../rollout/rollout-view.ts';
import { seenContext } from '../runtime/decide-context.ts';
import { type Asking, answerFormat, askController, tell, whoAmI } from './ask-controller.ts';
import { controlOf, controlStateOf } from './control-state.ts';
import { switchesNow } from './flags.ts';
import { readLogSettings } from './log-settings.ts';
import { type Place, withPlace } from './open-log.ts';
import { policyOf } from './policy.ts';
import { printable } from './printable.ts';
import { nothingProposed } from './propose.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface AskFlags extends SettingsFlags {
  readonly by?: string;
  readonly reason?: string;
  readonly format: string;
}

/** Commands on what is under way, each a request by its name. */
const STEPS = [
  ['shadow', 'ask the version about every image beside the one that is active, and publish nothing'],
  ['promote', 'on to the next: the steps of the canary, then active'],
  ['pause', 'stand still: nothing is promoted'],
  ['resume', 'go on'],
  ['abort', 'give the version up; what it answered is answered again by the baseline'],
] as const;

export function rolloutCommands(program: Command): void {
  for (const [kind, description] of STEPS)
    asking(program.command(kind).description(description).argument('<name>', 'of the set')).action(
      (name: string, flags: AskFlags) =>
        ask(flags, (state) => ({
          kind,
          set: name,
          version: versionAsked(kind, setIn(state, name)) ?? nothingProposed(name),
          ...said(flags),
        })),
    );
  asking(
    program.command('rollback').description('back to the version before, at once').argument('<name>', 'of the set'),
  ).action((name: string, flags: AskFlags) => ask(flags, () => ({ kind: 'roll_back', set: name, ...said(flags) })));
  for (const kind of ['freeze', 'unfreeze'] as const)
    asking(
      program
        .command(kind)
        .description(kind === 'freeze' ? 'no rollout begins or goes on; rollbacks do' : 'rollouts go on')
        .argument('[name]', 'of the set; all of them without'),
    ).action((name: string | undefined, flags: AskFlags) =>
      ask(flags, () => ({ kind, set: name ?? null, ...said(flags) })),
    );
  withFormat(program.command('rollouts').description('what is active, and what is under way')).action(
    (flags: SettingsFlags & { format: string }) =>
      withPlace(flags, async (place) => {
        const state = await controlStateOf(place);
        if (flags.format === 'json')
          process.stdout.write(`${JSON.stringify(rolloutsView(state, (_, set) => setView(set)))}\n`);
        else process.stdout.write(renderAll(state));
      }),
  );
  const group = program.command('rollout').description('one rollout');
  withFormat(
    group
      .command('show')
      .description('how far it is, what comes next, and what blocks it')
      .argument('<name>', 'of the set'),
  )
    .option('--policy <file>', 'the rules for changing rules, which tell what blocks (PLUMBLINE_POLICY)')
    .action((name: string, flags: SettingsFlags & { format: string }) =>
      withPlace(flags, (place) => show(place, name, flags)),
    );
}

async function show(place: Place, name: string, flags: SettingsFlags & { format: string }): Promise<void> {
  const settings = readLogSettings(flags, process.env);
  const control = await controlOf(place);
  const state = control.stateAt(control.offset);
  const set = setIn(state, name);
  const { log, topics, wire } = place;
  const context =
    settings.policy === undefined
      ? null
      : await seenContext(
          log,
          topics,
          wire,
          control,
          policyOf(settings),
          (await switchesNow(settings)).rollouts,
          Date.now(),
        );
  const next = comingStep(name, state, context);
  const sweep = context?.sweepOf(name) ?? null;
  const guards = context === null || set.rollout === null ? [] : context.readingsOf(name, set.rollout);
  process.stdout.write(
    flags.format === 'json'
      ? `${JSON.stringify(setView(set, next, guards, sweep))}\n`
      : renderOne(name, set, next, guards, sweep, set.frozen ?? state.frozen),
  );
}

const asking = (command: Command): Command =>
  withLogFlags(command)
    .option('--reason <text>', 'recorded with it')
    .option('--by <who>', 'who asks (PLUMBLINE_BY; default: this user)')
    .addOption(answerFormat());

const withFormat = (command: Command): Command =>
  withLogFlags(command).addOption(new Option('--format <format>').choices(['text', 'json']).default('text'));

/** @throws PlumblineError PLB-ROLLOUT-NONE */
function setIn({ sets }: ControlState, name: string): SetState {
  const set = sets.get(name);
  if (set !== undefined) return set;
  throw new PlumblineError('PLB-ROLLOUT-NONE', `there is no set \`${name.slice(0, 80)}\``, {
    hint: didYouMean(name, sets.keys()) ?? '`plumbline rollouts` lists them',
  });
}

const said = ({ by, reason }: AskFlags) => ({ by: by ?? whoAmI(), ...(reason === undefined ? {} : { reason }) });

const ask = (flags: AskFlags, toRequest: (state: ControlState) => Asking): Promise<void> =>
  withPlace(flags, async (place) =>
    tell(await askController(place, toRequest(await controlStateOf(place))), flags.format),
  );

const short = (version: string): string => version.slice(0, 12);

function renderAll({ sets, frozen }: ControlState): string {
  const lines = [...sets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, set]) =>
        `${printable(name).padEnd(24)} ${activeLine(set)}${set.rollout ? `   ${wayOf(set.rollout)}` : ''}${set.frozen ? `   frozen by ${byWhom(set.frozen)}` : ''}`,
    );
  if (frozen !== null) lines.push(`every set is frozen by ${byWhom(frozen)}`);
  return `${lines.length === 0 ? 'nothing is active' : lines.join('\n')}\n`;
}

const byWhom = ({ by, reason }: Freeze): string => `${printable(by)}${reason === null ? '' : `: ${printable(reason)}`}`;

const activeLine = (set: SetState): string =>
  set.isStopped ? 'stopped' : (activeOf(set)?.slice(0, 12) ?? 'none      ');

const wayOf = ({ version, phase, step, share, isPaused }: Rollout): string =>
  `${short(version)} ${phase === 'canary' ? `canary step ${step}, ${percent(share)} of the accounts` : phase}${isPaused ? ', paused' : ''}`;

function renderOne(
  name: string,
  set: SetState,
  next: ComingStep,
  guards: readonly GuardReading[],
  sweep: SweepProgress | null,
  frozen: Freeze | null,
): string {
  const { rollout, rollback } = set;
  return `${[
    printable(name),
    `active       ${activeLine(set)}`,
    ...(rollback === null ? [] : [`rollback     to ${short(rollback.to)}, until every task has taken it`]),
    ...(sweep === null ? [] : [`sweep        ${sweep.done} of about ${sweep.of}`]),
    ...(frozen === null ? [] : [`frozen       by ${byWhom(frozen)}`]),
    ...(rollout === null ? ['under way    nothing'] : renderRollout(rollout)),
    ...guards.map(guardLine),
    `next         ${next.command}${next.action === 'promote' ? '   (or abort)' : ''}`,
    ...(next.blockedBy ? [`blocked by   ${printable(next.blockedBy.message)} (${next.blockedBy.code})`] : []),
  ].join('\n')}\n`;
}

const renderRollout = (rollout: Rollout): readonly string[] => {
  const { author, reason, evidence, approvals, moves } = rollout;
  return [
    `under way    ${wayOf(rollout)}`,
    `author       ${printable(author)}: ${printable(reason ?? '')}`,
    `expects      ${moves.length === 0 ? 'nobody to move' : moves.map(formatMove).join(', ')}`,
    `validation   ${evidence === null ? 'none' : `${evidence.verdict}, ${evidence.hash.slice(0, 23)}`}`,
    `approvals    ${approvals.length === 0 ? 'none' : approvals.map(({ by, role, expiresAt }) => `${printable(by)} (${role}, until ${formatInstant(expiresAt)})`).join(', ')}`,
  ];
};

const VERDICTS = { pass: 'pass', fail: 'FAIL', inconclusive: '?' } as const;

const guardLine = ({ metric, verdict, value, atMost, answers }: GuardReading): string =>
  `guard        ${VERDICTS[verdict].padEnd(4)} ${metric} ${measured(value)}, at most ${atMost} (${answers} answers)`;
