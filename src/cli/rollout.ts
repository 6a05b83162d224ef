import { type Command, Option } from 'commander';
import { formatInstant } from '../language/contract.ts';
import { percent } from '../rollout/canary-steps.ts';
import { activeOf, type ControlState, type Rollout, type SetState } from '../rollout/control-state.ts';
import { type Asking, askController, tell, whoAmI } from './ask-controller.ts';
import { controlStateOf } from './control-state.ts';
import { withPlace } from './open-log.ts';
import { printable } from './printable.ts';
import { formatMove, nothingProposed } from './propose.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface AskFlags extends SettingsFlags {
  readonly by?: string;
  readonly reason?: string;
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
        ask(flags, (state) => {
          const set = state.sets.get(name);
          // An abort may come when the version is active already.
          const version = set?.rollout?.version ?? (kind === 'abort' ? activeOf(set ?? NOTHING) : null);
          return { kind, set: name, version: version ?? nothingProposed(name), ...said(flags) };
        }),
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
        if (flags.format === 'json') process.stdout.write(`${JSON.stringify(toJson(state))}\n`);
        else process.stdout.write(renderAll(state));
      }),
  );
  const group = program.command('rollout').description('one rollout');
  withFormat(
    group.command('show').description('how far it is, and what comes next').argument('<name>', 'of the set'),
  ).action((name: string, flags: SettingsFlags & { format: string }) =>
    withPlace(flags, async (place) => {
      const set = (await controlStateOf(place)).sets.get(name) ?? nothingProposed(name);
      if (flags.format === 'json') process.stdout.write(`${JSON.stringify(setJson(set))}\n`);
      else process.stdout.write(renderOne(name, set));
    }),
  );
}

const NOTHING: SetState = { stack: [], rollout: null, isStopped: false, frozen: null, rollback: null };

const asking = (command: Command): Command =>
  withLogFlags(command)
    .option('--reason <text>', 'recorded with it')
    .option('--by <who>', 'who asks (PLUMBLINE_BY; default: this user)');

const withFormat = (command: Command): Command =>
  withLogFlags(command).addOption(new Option('--format <format>').choices(['text', 'json']).default('text'));

const said = ({ by, reason }: AskFlags) => ({ by: by ?? whoAmI(), ...(reason === undefined ? {} : { reason }) });

const ask = (flags: AskFlags, toRequest: (state: ControlState) => Asking): Promise<void> =>
  withPlace(flags, async (place) => tell(await askController(place, toRequest(await controlStateOf(place)))));

const short = (version: string): string => version.slice(0, 12);

const toJson = (state: ControlState): object => ({
  frozen: state.frozen,
  sets: Object.fromEntries([...state.sets].map(([name, set]) => [name, setJson(set)])),
});

const setJson = (set: SetState): object => ({ active: activeOf(set), ...set });

function renderAll({ sets, frozen }: ControlState): string {
  const lines = [...sets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, set]) =>
        `${printable(name).padEnd(24)} ${activeLine(set)}${set.rollout ? `   ${wayOf(set.rollout)}` : ''}`,
    );
  if (frozen !== null) lines.push(`frozen by ${printable(frozen.by)}: ${printable(frozen.reason ?? '')}`);
  return `${lines.length === 0 ? 'nothing is active' : lines.join('\n')}\n`;
}

const activeLine = (set: SetState): string =>
  set.isStopped ? 'stopped' : (activeOf(set)?.slice(0, 12) ?? 'none      ');

const wayOf = ({ version, phase, step, share, isPaused }: Rollout): string =>
  `${short(version)} ${phase === 'canary' ? `canary step ${step}, ${percent(share)} of the accounts` : phase}${isPaused ? ', paused' : ''}`;

function renderOne(name: string, set: SetState): string {
  const { rollout, rollback } = set;
  const lines = [`${printable(name)}`, `active       ${activeLine(set)}`];
  if (rollback !== null) lines.push(`rollback     to ${short(rollback.to)}, until every task has taken it`);
  if (rollout === null) return `${[...lines, 'under way    nothing'].join('\n')}\n`;
  const { evidence, approvals, moves } = rollout;
  return `${[
    ...lines,
    `under way    ${wayOf(rollout)}`,
    `author       ${printable(rollout.author)}: ${printable(rollout.reason ?? '')}`,
    `expects      ${moves.length === 0 ? 'nobody to move' : moves.map(formatMove).join(', ')}`,
    `validation   ${evidence === null ? 'none' : `${evidence.verdict}, ${evidence.hash.slice(0, 23)}`}`,
    `approvals    ${approvals.length === 0 ? 'none' : approvals.map(({ by, role, expiresAt }) => `${printable(by)} (${role}, until ${formatInstant(expiresAt)})`).join(', ')}`,
    `next         ${nextOf(rollout, name)}`,
  ].join('\n')}\n`;
}

function nextOf({ phase, evidence, approvals, isPaused }: Rollout, name: string): string {
  if (isPaused) return `plumbline resume ${name}`;
  if (phase !== 'proposed') return `plumbline promote ${name}   (or abort)`;
  if (evidence?.verdict !== 'pass') return `plumbline validate ${name}`;
  return approvals.length === 0 ? `plumbline approve ${name} --key FILE --role ROLE` : `plumbline shadow ${name}`;
}
