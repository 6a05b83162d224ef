import { type Command, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { isWaived, type WaivedConstraint } from '../ingest/standing.ts';
import { type EntityKind, formatInstant } from '../language/contract.ts';
import type { ControlFollower } from '../runtime/control.ts';
import { type ListedWaiver, listedWaivers, WAIVER_STATES, type WaiverState } from '../runtime/listed-waivers.ts';
import { holdersOf } from '../runtime/waiver-holders.ts';
import { appendWaivers, type ByFlags, refuseSome, requireStanding, saidBy } from './change-waivers.ts';
import { controlOf } from './control-state.ts';
import { parseDuration } from './duration.ts';
import { entityIds } from './entity-ids.ts';
import { lineWriter } from './line-writer.ts';
import { type Place, withPlace } from './open-log.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';
import { progress } from './progress.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';
import { withEntities, withWho } from './waive.ts';

interface ListFlags extends SettingsFlags {
  readonly set?: string;
  readonly constraint?: string;
  readonly entity?: EntityKind;
  readonly id?: string;
  readonly expiring?: number;
  readonly state?: WaiverState;
  readonly format: 'table' | 'ndjson' | 'json';
}

/** Those that end first are shown; more are counted. */
const MAX_LISTED = 10_000;

export function waiversCommand(program: Command): void {
  const group = program.command('waivers').description('what is waived, for whom and until when');
  withLogFlags(group.command('list').description('all waivers that are not over, those that end first before others'))
    .option('--set <name>')
    .option('--constraint <id>')
    .addOption(new Option('--entity <kind>').choices(['deal', 'account']))
    .option('--id <id>', 'of one entity')
    .option('--expiring <duration>', 'that end within 7d, 12h', parseDuration)
    .addOption(new Option('--state <state>', 'also those that are over').choices([...WAIVER_STATES]))
    .addOption(new Option('--format <format>').choices(['table', 'ndjson', 'json']).default('table'))
    .action((flags: ListFlags) => withPlace(flags, (place) => list(place, flags)));
  withWho(
    withEntities(withLogFlags(group.command('revoke').description('end a waiver before its time; rescores at once'))),
  ).action(
    (set: string, constraint: string, given: string[], flags: SettingsFlags & ByFlags & { readonly ids?: string }) => {
      const ids = entityIds(given, flags.ids);
      return withPlace(flags, (place) => revoke(place, { set, constraint }, ids, flags));
    },
  );
}

async function list(place: Place, flags: ListFlags): Promise<void> {
  const { log, topics, wire } = place;
  const contracts = loadContracts();
  const active = activeSets(await controlOf(place, contracts));
  const now = Date.now();
  const isWanted = wantedBy(flags, now);
  const kinds: readonly EntityKind[] = flags.entity === undefined ? ['deal', 'account'] : [flags.entity];
  const ids = flags.id === undefined ? null : new Set([flags.id]);
  const shown = progress(process.stderr, 'images');
  let found: ListedWaiver[] = [];
  let count = 0;
  for await (const holder of holdersOf(log, topics, wire, { kinds, ids }, shown.step)) {
    const wanted = listedWaivers(holder, active, contracts, now).filter(isWanted);
    count += wanted.length;
    found.push(...wanted);
    if (found.length > 2 * MAX_LISTED) found = firstToEnd(found);
  }
  shown.end();
  await print(firstToEnd(found), flags.format);
  if (count > MAX_LISTED)
    process.stderr.write(`${count - MAX_LISTED} more are not shown: narrow it with --set, --entity or --expiring\n`);
}

const firstToEnd = (waivers: readonly ListedWaiver[]): ListedWaiver[] =>
  [...waivers].sort((a, b) => a.until - b.until || (a.id < b.id ? -1 : 1)).slice(0, MAX_LISTED);

const wantedBy =
  ({ set, constraint, expiring, state }: ListFlags, now: number) =>
  (waiver: ListedWaiver): boolean =>
    (set === undefined || waiver.set === set) &&
    (constraint === undefined || waiver.constraint === constraint) &&
    (expiring === undefined || waiver.until <= now + expiring) &&
    (state === undefined ? waiver.state !== 'over' : waiver.state === state);

/** A version that no longer compiles lets nothing be waived. */
const activeSets = (control: ControlFollower): ReadonlyMap<string, CompiledSet> =>
  new Map(
    [...control.active()].flatMap(([name, version]) =>
      control.isKnown(name, version) ? [[name, control.compiled(version)] as const] : [],
    ),
  );

async function print(waivers: readonly ListedWaiver[], format: ListFlags['format']): Promise<void> {
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(waivers.map(toJson))}\n`);
    return;
  }
  const out = lineWriter(process.stdout);
  for (const waiver of waivers)
    if (!(await out.write(format === 'ndjson' ? JSON.stringify(toJson(waiver)) : row(waiver)))) return;
  await out.flush();
}

/** Without what is pinned, which are values of the entity. */
const toJson = ({ entity, id, state, set, constraint, by, role, grantedAt, until }: ListedWaiver): object => ({
  entity,
  id,
  state,
  set,
  constraint,
  by,
  role,
  granted_at: formatInstant(grantedAt),
  until: formatInstant(until),
});

const row = ({ entity, id, state, set, constraint, by, role, until }: ListedWaiver): string =>
  `${formatInstant(until)}  ${state.padEnd(13)}  ${entity.padEnd(7)}  ${printable(id).padEnd(10)}  ${printable(set).padEnd(18)}  ${printable(constraint).padEnd(28)}  ${printable(by)} (${printable(role)})`;

async function revoke(place: Place, waiver: WaivedConstraint, ids: ReadonlySet<string>, flags: ByFlags): Promise<void> {
  const { set, constraint } = waiver;
  const said = saidBy(flags);
  const control = await controlOf(place);
  const version = control.active().get(set);
  const kind = version === undefined ? await kindOfRetired(place, set, ids) : control.compiled(version).entity;
  const standing = await requireStanding(place, kind, ids);
  refuseSome(
    ids,
    (id) => {
      const one = standing.get(id);
      return one !== undefined && isWaived(one, waiver);
    },
    'PLB-WAIVER-NONE',
    `\`${constraint.slice(0, 80)}\` of \`${set.slice(0, 80)}\` is not waived for`,
    '`plumbline waivers list` shows what is',
  );
  const told = `the waiver of \`${constraint}\` is revoked for ${plural(ids.size, kind)}`;
  await appendWaivers(place, kind, standing, { op: 'revoke', waiver }, said, told);
  process.stdout.write(`${told}\n`);
}

/** Of a set that is not active only those who have a waiver of it tell the kind. */
async function kindOfRetired({ log, topics, wire }: Place, set: string, ids: ReadonlySet<string>): Promise<EntityKind> {
  for await (const { entity, waivers } of holdersOf(log, topics, wire, { kinds: ['account', 'deal'], ids }))
    if (waivers.some((waiver) => waiver.set === set)) return entity;
  return 'deal';
}
