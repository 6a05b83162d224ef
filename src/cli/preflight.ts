import { type Command, Option } from 'commander';
import { registeredFields } from '../../schemas/registered-fields.ts';
import { connectRegistry } from '../../schemas/registry.ts';
import { type Check, type PreflightFacts, preflight } from '../rollout/preflight.ts';
import { coverageOf } from '../runtime/coverage.ts';
import { subjectsOf } from '../wire/subjects.ts';
import { controlOf } from './control-state.ts';
import { EXIT } from './exit-codes.ts';
import { switchesNow } from './flags.ts';
import { type LogSettings, readLogSettings, registryOptionsOf } from './log-settings.ts';
import { type Place, withPlace } from './open-log.ts';
import { policyOf } from './policy.ts';
import { printable } from './printable.ts';
import { progress } from './progress.ts';
import { nothingProposed } from './propose.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface PreflightFlags extends SettingsFlags {
  readonly format: string;
}

export function preflightCommand(program: Command): void {
  withLogFlags(
    program
      .command('preflight')
      .description('a checklist for what is proposed of a set, before it is validated')
      .argument('<name>', 'of the set'),
  )
    .option('--policy <file>', 'the rules for changing rules (PLUMBLINE_POLICY)')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action((name: string, flags: PreflightFlags) =>
      withPlace(flags, async (place) => {
        const { log, topics, wire } = place;
        const settings = readLogSettings(flags, process.env);
        const control = await controlOf(place);
        await control.refreshDocuments();
        const state = control.stateAt(control.offset);
        const rollout = state.sets.get(name)?.rollout ?? nothingProposed(name);
        const shown = progress(process.stderr, 'images');
        const coverage = await coverageOf(log, topics, wire, shown.step);
        shown.end();
        const checks = preflight({
          set: control.compiled(rollout.version),
          rollout,
          state,
          coverage,
          policy: policyOf(settings),
          now: Date.now(),
          switches: await switchesNow(settings),
          ...(await registryOf(settings, place)),
        });
        process.stdout.write(flags.format === 'json' ? `${JSON.stringify(checks)}\n` : render(checks, name));
        if (checks.some(({ outcome }) => outcome === 'fail')) process.exitCode = EXIT.failure;
      }),
    );
}

async function registryOf(
  settings: LogSettings,
  { topics }: Place,
): Promise<Pick<PreflightFacts, 'registered' | 'reached'>> {
  const log = settings.log === 'kafka' ? `the brokers ${settings.kafka.brokers.join(', ')}` : 'the embedded log';
  const options = registryOptionsOf(settings);
  if (options === null) return { registered: null, reached: [log] };
  const registry = connectRegistry(options);
  const subjectOf = (topic: string): string => subjectsOf(topics).find((one) => one.topic === topic)?.subject ?? '';
  const [deal, account] = await Promise.all(
    [topics.dealChanges, topics.accountChanges].map((topic) => registeredFields(registry, subjectOf(topic))),
  );
  return {
    registered: deal && account ? { deal, account } : null,
    reached: [log, 'the registry'],
  };
}

const MARKS: { readonly [outcome: string]: string } = { pass: 'pass', fail: 'FAIL', cannot_tell: '?' };

const render = (checks: readonly Check[], name: string): string =>
  [
    ...checks.map(
      ({ name: check, outcome, says }) =>
        `${(MARKS[outcome] ?? outcome).padEnd(5)} ${check.padEnd(13)} ${printable(says)}`,
    ),
    checks.some(({ outcome }) => outcome === 'fail')
      ? 'next          what fails; it can be validated all the same'
      : `next          plumbline validate ${name}`,
    '',
  ].join('\n');
