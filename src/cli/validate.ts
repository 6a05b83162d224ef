import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { requestRecord } from '../../producers/requests.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { COST_LIMIT, costBoundOf } from '../compiler/cost.ts';
import { canonicalJson } from '../ingest/canonical-json.ts';
import { formatInstant } from '../language/contract.ts';
import { countFiring, type Firing, type Firings, idleIn } from '../rollout/firing.ts';
import { unexpectedMoves } from '../rollout/guards.ts';
import { regression } from '../runtime/regression.ts';
import type { Verdict } from '../scoring/control-fact.ts';
import { runExamples } from '../scoring/run-examples.ts';
import { entitiesIn, movesIn, type Tally } from '../scoring/tally.ts';
import { askController, tell, whoAmI } from './ask-controller.ts';
import { controlOf } from './control-state.ts';
import { EXIT } from './exit-codes.ts';
import { wholeNumber } from './generate.ts';
import { type Place, withPlace } from './open-log.ts';
import { progress } from './progress.ts';
import { nothingProposed } from './propose.ts';
import { integrationRun, type ScratchRun, simulationRun } from './scratch-run.ts';
import { dataDirOf, type SettingsFlags, withLogFlags } from './settings.ts';

export const VALIDATION_ACTION = 'run-validation:unit+integration+simulation+regression-baseline';

interface ValidateFlags extends SettingsFlags {
  readonly by?: string;
  readonly seed: number;
}

/** What was found, and what its hash is of. */
interface Evidence {
  readonly action: typeof VALIDATION_ACTION;
  readonly set: string;
  readonly version: string;
  readonly baseline: string | null;
  readonly at: string;
  readonly seed: number;
  readonly unit: { readonly passed: number; readonly failed: readonly string[] };
  readonly integration: ScratchRun;
  readonly simulation: ScratchRun;
  readonly regression: {
    readonly tally: Tally;
    readonly unexpected: number;
    readonly firings: { readonly [constraint: string]: Firing };
  };
  /** In steps, what one image may take at most. */
  readonly cost: { readonly limit: number; readonly bound: number; readonly before: number | null };
  readonly verdict: Verdict;
  /** Why it isn't pass. */
  readonly because: readonly string[];
}

export function validateCommand(program: Command): void {
  withLogFlags(
    program
      .command('validate')
      .description('validate what is proposed of a set: examples, a scratch run, a simulation, the recorded images')
      .argument('<name>', 'of the set'),
  )
    .option('--by <who>', 'recorded with it (PLUMBLINE_BY; default: this user)')
    .option('--seed <n>', 'of the scratch runs', wholeNumber, 1)
    .action(async (name: string, flags: ValidateFlags) => {
      await withPlace(flags, async (place) => {
        const { log, topics, wire } = place;
        const contracts = loadContracts();
        const control = await controlOf(place, contracts);
        await control.refreshDocuments();
        const rollout = control.stateAt(control.offset).sets.get(name)?.rollout ?? nothingProposed(name);
        const candidate = control.compiled(rollout.version);
        const baseline = rollout.baseline === null ? null : control.compiled(rollout.baseline);
        const { seed } = flags;
        const shown = progress(process.stderr, 'images');
        const examples = runExamples(candidate);
        const failed = examples.filter(({ mismatches }) => mismatches.length > 0).map(({ example }) => example.name);
        const integration = await integrationRun(candidate, contracts, seed);
        const simulation = await simulationRun(candidate, contracts, seed);
        const firings: Firings = new Map();
        const tally = await regression(log, topics, wire, contracts, baseline, candidate, shown.step, (outcomes) =>
          countFiring(firings, outcomes),
        );
        shown.end();
        const unexpected = baseline === null ? 0 : unexpectedMoves(tally, rollout.moves);
        const because = reasons({ failed, integration, simulation, tally, unexpected });
        const evidence: Evidence = {
          action: VALIDATION_ACTION,
          set: name,
          version: rollout.version,
          baseline: rollout.baseline,
          at: formatInstant(Date.now()),
          seed,
          unit: { passed: examples.length - failed.length, failed },
          integration,
          simulation,
          regression: { tally, unexpected, firings: Object.fromEntries(firings) },
          cost: {
            limit: COST_LIMIT,
            bound: costBoundOf(candidate.checked),
            before: baseline && costBoundOf(baseline.checked),
          },
          verdict: because.length > 0 ? 'fail' : tally.answers === 0 && baseline !== null ? 'inconclusive' : 'pass',
          because,
        };
        const hash = store(dataDirOf(flags, process.env), evidence);
        process.stdout.write(render(evidence, hash));
        const { version, verdict } = evidence;
        const by = flags.by ?? whoAmI();
        tell(
          await askController(place, { kind: 'record_validation', set: name, version, evidence: hash, verdict, by }),
          'text',
        );
        await queueIdle(place, candidate, idleIn(firings, tally.answers), by);
        if (verdict !== 'pass') process.exitCode = EXIT.failure;
      });
    });
}

const IDLE_WITHIN_MS = 30 * 86_400_000;

/** A constraint that says the same of everybody is somebody's to look at; it stands in nobody's way. */
async function queueIdle(
  { log, topics, wire }: Place,
  { name: set, version, checked }: CompiledSet,
  idle: ReturnType<typeof idleIn>,
  by: string,
): Promise<void> {
  const at = Date.now();
  const requests = idle.map(({ constraint, how }) => {
    const owner = checked.constraints.find(({ id }) => id === constraint)?.owner ?? by;
    const what = `\`${constraint}\` ${how}`;
    const followUp = `idle_constraint/${set}/${constraint}`;
    const id = `${followUp}/${version}/${at}`;
    const dueAt = at + IDLE_WITHIN_MS;
    return requestRecord(
      topics,
      { kind: 'open_follow_up', id, at, by, set, followUp, about: 'idle_constraint', what, owner, dueAt },
      wire,
    );
  });
  if (requests.length > 0) await log.append(requests);
}

function reasons(found: {
  readonly failed: readonly string[];
  readonly integration: ScratchRun;
  readonly simulation: ScratchRun;
  readonly tally: Tally;
  readonly unexpected: number;
}): readonly string[] {
  const { failed, integration, simulation, tally, unexpected } = found;
  const scratch = (what: string, { deadLetters, notReproduced, results }: ScratchRun): string[] => [
    ...(deadLetters > 0 ? [`${what}: ${deadLetters} dead letters`] : []),
    ...(notReproduced > 0 ? [`${what}: ${notReproduced} results don't come out again`] : []),
    ...(results === 0 ? [`${what}: nothing was scored`] : []),
  ];
  return [
    ...failed.map((name) => `unit: the example \`${name}\` fails`),
    ...scratch('integration', integration),
    ...scratch('simulation', simulation),
    ...(tally.faults > 0 ? [`regression: ${tally.faults} faults`] : []),
    ...(unexpected > 0 ? [`regression: ${unexpected} entities move that nobody expected to`] : []),
  ];
}

/** @returns its hash, which is its name */
function store(dataDir: string, evidence: Evidence): string {
  const text = canonicalJson(evidence);
  const hash = createHash('sha256').update(text).digest('hex');
  const directory = join(dataDir, 'evidence');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${hash}.json`), `${text}\n`);
  return `sha256:${hash}`;
}

function render(
  { unit, integration, simulation, regression: found, cost, verdict, because }: Evidence,
  hash: string,
): string {
  const { tally, unexpected } = found;
  const scratch = ({ changes, results }: ScratchRun): string => `${changes} changes, ${results} results`;
  return [
    `unit         ${unit.passed} examples passed, ${unit.failed.length} failed`,
    `integration  ${scratch(integration)}`,
    `simulation   ${scratch(simulation)}, with faults`,
    `regression   ${entitiesIn(tally)} entities, ${tally.answers} images, ${unexpected} unexpected moves`,
    ...movesIn(tally).map(({ from, to, count }) => `             ${String(count).padStart(6)}  ${from} > ${to}`),
    ...tally.movers
      .slice(0, 5)
      .map(
        ({ entity, id, from, to, because: why }) => `             ${entity} ${id}: ${from} > ${to} (${why.join(', ')})`,
      ),
    ...idleIn(new Map(Object.entries(found.firings)), tally.answers).map(
      ({ constraint, how }) => `             \`${constraint}\` ${how}`,
    ),
    `cost         at most ${cost.bound} steps an image${cost.before === null ? '' : ` (${cost.before} before)`}, the limit is ${cost.limit}`,
    ...because.map((reason) => `fail         ${reason}`),
    `verdict      ${verdict}`,
    `evidence     ${hash}`,
    '',
  ].join('\n');
}
