import { type Command, Option } from 'commander';
import { PlumblineError } from '../errors.ts';
import { formatInstant } from '../language/contract.ts';
import type { FollowUp } from '../rollout/follow-up.ts';
import { followUpsOn } from '../runtime/read-follow-ups.ts';
import { answerFormat, askController, tell, whoAmI } from './ask-controller.ts';
import { withPlace } from './open-log.ts';
import { printable } from './printable.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ListFlags extends SettingsFlags {
  readonly format: string;
  readonly set?: string;
  readonly owner?: string;
  readonly due?: boolean;
  readonly all?: boolean;
}

interface CloseFlags extends SettingsFlags {
  readonly by?: string;
  readonly reason: string;
  readonly format: string;
}

export function followUpsCommand(program: Command): void {
  const group = program.command('follow-ups').description('what stays open: risks, approvals, gates, waivers');
  withLogFlags(group.command('list').description('the open ones, the next one due first'))
    .option('--set <name>', 'of this set')
    .option('--owner <who>', 'of this owner')
    .option('--due', 'those that are due')
    .option('--all', 'closed ones too')
    .addOption(new Option('--format <format>').choices(['table', 'ndjson', 'json']).default('table'))
    .action((flags: ListFlags) =>
      withPlace(flags, async ({ log, topics }) => {
        const now = Date.now();
        const wanted = (await followUpsOn(log, topics)).filter(matching(flags, now));
        if (flags.format === 'json') {
          process.stdout.write(`${JSON.stringify(wanted.map(followUpView))}\n`);
          return;
        }
        for (const one of wanted)
          process.stdout.write(
            flags.format === 'ndjson' ? `${JSON.stringify(followUpView(one))}\n` : `${row(one, now)}\n`,
          );
      }),
    );
  withLogFlags(group.command('close').description('close one').argument('<id>'))
    .requiredOption('--reason <text>', 'what became of it')
    .option('--by <who>', 'who closes it (PLUMBLINE_BY; default: this user)')
    .addOption(answerFormat())
    .action((id: string, flags: CloseFlags) =>
      withPlace(flags, async (place) => {
        const known = (await followUpsOn(place.log, place.topics)).find((one) => one.id === id && one.closed === null);
        if (known === undefined)
          throw new PlumblineError('PLB-FOLLOW-UP', `no follow-up \`${id.slice(0, 100)}\` is open`, {
            hint: '`plumbline follow-ups list`',
          });
        const { by = whoAmI(), reason } = flags;
        tell(
          await askController(place, { kind: 'close_follow_up', set: known.set, followUp: id, by, reason }),
          flags.format,
        );
      }),
    );
}

const matching =
  ({ set, owner, due, all }: ListFlags, now: number) =>
  (one: FollowUp): boolean =>
    (all || one.closed === null) &&
    (set === undefined || one.set === set) &&
    (owner === undefined || one.owner === owner) &&
    (!due || one.dueAt <= now);

/** As commands and HTTP show it. */
export const followUpView = ({ openedAt, dueAt, escalatedAt, closed, ...one }: FollowUp): object => ({
  ...one,
  opened_at: formatInstant(openedAt),
  due_at: formatInstant(dueAt),
  escalated_at: escalatedAt === null ? null : formatInstant(escalatedAt),
  closed: closed === null ? null : { ...closed, at: formatInstant(closed.at) },
});

function row({ id, dueAt, owner, what, closed }: FollowUp, now: number): string {
  const state = closed !== null ? 'closed  ' : dueAt <= now ? 'DUE     ' : 'open    ';
  return `${state} ${formatInstant(dueAt).slice(0, 16)}  ${printable(owner).padEnd(14)} ${printable(what)}\n         ${printable(id)}`;
}
