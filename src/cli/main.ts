import { readFileSync } from 'node:fs';
import { Command, type CommanderError } from 'commander';
import { formatError, PlumblineError } from '../errors.ts';
import { activateCommand } from './activate.ts';
import { approveCommand } from './approve.ts';
import { checkCommand } from './check.ts';
import { compileCommand } from './compile.ts';
import { configCommand } from './config.ts';
import { controlCommand } from './control-log.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { diffCommand } from './diff.ts';
import { eraseCommand } from './erase.ts';
import { EXIT } from './exit-codes.ts';
import { explainCommand } from './explain.ts';
import { followUpsCommand } from './follow-ups.ts';
import { generateCommand } from './generate.ts';
import { importCommand } from './import.ts';
import { incidentCommand } from './incident.ts';
import { ingestCommand } from './ingest.ts';
import { keysCommand } from './keys.ts';
import { mapCommand } from './map.ts';
import { posturesCommand, resultsCommand } from './outputs.ts';
import { policyCommand } from './policy.ts';
import { preflightCommand } from './preflight.ts';
import { proposeCommand } from './propose.ts';
import { reproduceCommand } from './reproduce.ts';
import { rolloutCommands } from './rollout.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { schemasCommand } from './schemas.ts';
import { scoreCommand } from './score.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { syncCommand } from './sync.ts';
import { testCommand } from './test.ts';
import { topicsCommand } from './topics.ts';
import { validateCommand } from './validate.ts';
import { waiveCommand } from './waive.ts';
import { waiversCommand } from './waivers.ts';
import { whatIfCommand } from './what-if.ts';

const COMMANDS = [
  startCommand,
  activateCommand,
  diffCommand,
  proposeCommand,
  preflightCommand,
  validateCommand,
  policyCommand,
  keysCommand,
  approveCommand,
  rolloutCommands,
  controlCommand,
  incidentCommand,
  followUpsCommand,
  waiveCommand,
  waiversCommand,
  configCommand,
  topicsCommand,
  checkCommand,
  testCommand,
  compileCommand,
  schemaCommand,
  schemasCommand,
  scoreCommand,
  explainCommand,
  whatIfCommand,
  reproduceCommand,
  mapCommand,
  importCommand,
  generateCommand,
  ingestCommand,
  syncCommand,
  runCommand,
  statusCommand,
  resultsCommand,
  posturesCommand,
  deadLettersCommand,
  eraseCommand,
];

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { readonly version: unknown }).version);
}

const program = new Command('plumbline')
  .description('Compiles constraints on deals and accounts, scores every CRM change against them, and says why.')
  .version(packageVersion(), '--version')
  .showHelpAfterError('(run with --help for usage)');
for (const register of COMMANDS) register(program);

/** Commander's own errors (a wrong option, a missing argument) end with the code for a wrong command line. */
function exitCleanly(command: Command): void {
  command.exitOverride((exit: CommanderError) => process.exit(exit.exitCode === 0 ? EXIT.ok : EXIT.invalid));
  command.commands.forEach(exitCleanly);
}
exitCleanly(program);

// A reader that closed the pipe (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

/** What was given is wrong: options, their values, the files that they name. */
const OF_THE_CALL =
  /^PLB-(?:CLI|FILTER|BOOK|FIELD|RESULT|DEAD-LETTER|WAIVER|INCIDENT|FLAGS-PROVIDER|REQUEST)(?:-(?!BEHIND)|$)/;

/** What the state of a rollout doesn't allow, whether the controller says so or this process already sees it. */
const OF_A_ROLLOUT = /^PLB-(?:ROLLOUT-(?!UNANSWERED)|FOLLOW-UP)/;

function exitCodeOf(error: unknown): number {
  if (!(error instanceof PlumblineError)) return EXIT.failure;
  if (OF_A_ROLLOUT.test(error.code)) return EXIT.refused;
  return OF_THE_CALL.test(error.code) ? EXIT.invalid : EXIT.failure;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
