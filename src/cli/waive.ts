import { type Command, InvalidArgumentError, Option } from 'commander';
import { requestRecord } from '../../producers/requests.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { formatInstant } from '../language/contract.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import { didYouMean } from '../language/suggest.ts';
import { objectionTo } from '../scoring/waiver-terms.ts';
import { appendWaivers, type ByFlags, requireStanding, type Said, saidBy } from './change-waivers.ts';
import { controlOf } from './control-state.ts';
import { parseDuration } from './duration.ts';
import { entityIds, MAX_IDS } from './entity-ids.ts';
import { EXIT } from './exit-codes.ts';
import { type Place, withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { parseNow } from './score.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface WaiveFlags extends SettingsFlags, ByFlags {
  readonly ids?: string;
  readonly role: string;
  readonly for?: number;
  readonly until?: number;
  readonly format: string;
}

export function waiveCommand(program: Command): void {
  withWho(
    withEntities(
      withLogFlags(
        program
          .command('waive')
          .description('let entities break a constraint for a time; ends by itself, or when what it reads changes'),
      ),
    )
      .requiredOption('--role <role>', 'in which you waive: one that the constraint names')
      .option('--for <duration>', 'how long: 30d, 12h, 90m', parseDuration)
      .addOption(new Option('--until <instant>', 'or until when').argParser(parseNow).conflicts('for')),
  )
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (name: string, constraint: string, given: string[], flags: WaiveFlags) => {
      const ids = entityIds(given, flags.ids);
      const said = saidBy(flags);
      const until = untilOf(flags, said.at);
      await withPlace(flags, async (place) => {
        const set = await activeSet(place, name);
        const waiver = { constraint, role: flags.role, grantedAt: said.at, until };
        const objection = objectionTo(set.checked, waiver);
        if (objection !== null) {
          process.stderr.write(`${formatDiagnostic(objection, set.checked.text)}\n`);
          process.exitCode = EXIT.invalid;
          return;
        }
        const standing = await requireStanding(place, set.entity, ids);
        const told = `\`${constraint}\` is waived until ${formatInstant(until)} for ${plural(ids.size, set.entity)}`;
        const what = { op: 'waive', waiver: { ...waiver, set: name, by: said.by } } as const;
        await appendWaivers(place, set.entity, standing, what, said, `${told}, as ${flags.role}`);
        await queueExpiry(place, { set: name, constraint, until, count: ids.size }, said);
        const json = {
          event_id: said.eventId,
          set: name,
          constraint,
          by: said.by,
          role: flags.role,
          granted_at: formatInstant(said.at),
          until: formatInstant(until),
          entity: set.entity,
          ids: [...ids],
        };
        process.stdout.write(flags.format === 'json' ? `${JSON.stringify(json)}\n` : `${told}\n`);
      });
    });
}

const MOST_AHEAD_MS = 7 * 86_400_000;

/** Somebody should know before it ends: a fifth of its time ahead, at most a week. */
async function queueExpiry(
  { log, topics, wire }: Place,
  {
    set,
    constraint,
    until,
    count,
  }: { readonly set: string; readonly constraint: string; readonly until: number; readonly count: number },
  { eventId, by, at }: Said,
): Promise<void> {
  const followUp = `expiring_waiver/${set}/${constraint}/${eventId}`;
  const what = `the waiver of \`${constraint}\` for ${count} of \`${set}\` ends at ${formatInstant(until)}`;
  const dueAt = Math.floor(until - Math.min(MOST_AHEAD_MS, (until - at) / 5));
  const request = {
    kind: 'open_follow_up',
    id: followUp,
    at,
    by,
    set,
    followUp,
    about: 'expiring_waiver',
    what,
    owner: by,
    dueAt,
  } as const;
  await log.append([requestRecord(topics, request, wire)]);
}

export const withEntities = (command: Command): Command =>
  command
    .argument('<set>', 'its name')
    .argument('<constraint>', 'its id')
    .argument('[id...]', 'of the deals or accounts')
    .option('--ids <file>', `ids, one a line; - reads stdin; at most ${MAX_IDS} in all`);

const MAX_REASON_LENGTH = 2_000;

export const withWho = (command: Command): Command =>
  command
    .option('--reason <text>', 'recorded on the audit topic', (text: string) => {
      if (text.length <= MAX_REASON_LENGTH) return text;
      throw new InvalidArgumentError(`expected at most ${MAX_REASON_LENGTH} characters`);
    })
    .option('--by <who>', 'who does it (PLUMBLINE_BY; default: this user)')
    .option('--event-id <id>', 'names it: what comes again under the same id is taken once');

/** @throws PlumblineError PLB-CLI-USAGE */
function untilOf({ for: length, until }: WaiveFlags, now: number): number {
  const end = until ?? (length === undefined ? undefined : now + length);
  if (end !== undefined) return end;
  throw new PlumblineError('PLB-CLI-USAGE', 'it is not said how long the waiver lasts', {
    hint: '--for 30d, or --until 2026-03-31T00:00:00Z',
  });
}

/** @throws PlumblineError PLB-WAIVER-UNKNOWN */
async function activeSet(place: Place, name: string): Promise<CompiledSet> {
  const control = await controlOf(place, loadContracts());
  const active = control.active();
  const version = active.get(name);
  if (version !== undefined) return control.compiled(version);
  throw new PlumblineError('PLB-WAIVER-UNKNOWN', `no set \`${name.slice(0, 80)}\` is active`, {
    hint: didYouMean(name, active.keys()) ?? '`plumbline rollouts` lists those that are',
  });
}
