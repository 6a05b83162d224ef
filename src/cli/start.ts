import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { formatError, PlumblineError } from '../errors.ts';
import type { Patience } from '../runtime/retry.ts';
import { type Summary, summarize, type WorstEntity } from '../runtime/summary.ts';
import { POSTURES } from '../scoring/posture.ts';
import { POSTURE_STYLES, painter } from './colors.ts';
import { EXIT } from './exit-codes.ts';
import { bookToFeed, feedBook } from './feed-book.ts';
import { requireSets } from './load-sets.ts';
import { topics } from './open-log.ts';
import { plural } from './plural.ts';
import { printable } from './printable.ts';
import { makeLogger, type Processor, startProcessor, untilCaughtUp, untilSignal } from './processor.ts';
import { readSettings, type SettingsFlags, withProcessorFlags } from './settings.ts';

/** Rows of each list in the summary. */
const TOP = 5;

export function startCommand(program: Command): void {
  withProcessorFlags(
    program.command('start').description('run the processor; on an empty log first feed a generated book of business'),
  ).action(async (flags: SettingsFlags) => {
    const settings = readSettings(flags, process.env);
    if (settings.log.log !== 'embedded')
      throw new PlumblineError('PLB-CLI-EMBEDDED', '`start` is for the embedded log', {
        hint: 'on Kafka: `plumbline topics create`, `plumbline activate SET…`, then `plumbline run --log kafka` as often as you like',
      });
    const processor = await startProcessor(
      settings,
      requireSets(settings.setFiles),
      makeLogger(process.env.PLUMBLINE_LOG_LEVEL ?? 'warn'),
    );
    for (const set of processor.retired)
      process.stdout.write(`${set} is retired: it is not among the sets given, and its postures end\n`);
    const over = new AbortController();
    const stopped = untilSignal().then(() => 'stopped' as const);
    const ended = Promise.race([stopped, processor.worker.ended]).finally(() => over.abort());
    // Whatever goes wrong on the way up, the processor is stopped: nothing else would end the process.
    const failure = await bringUp(processor, settings.dataDir, over.signal).catch((error: unknown) => ({ error }));
    if (failure && !over.signal.aborted) {
      process.stderr.write(`${formatError(failure.error)}\n`);
      await processor.stop();
      process.exitCode = EXIT.failure;
      return;
    }
    if (!over.signal.aborted) process.stdout.write(hints(processor.url));
    const end = await ended;
    await processor.stop();
    if (end === 'stopped') process.stdout.write('\nstopped; everything that was answered is on the log\n');
    else {
      process.stderr.write(`the processor ended: ${processor.worker.health.report().reasons.join('; ')}\n`);
      process.exitCode = EXIT.failure;
    }
    // An export of telemetry that is still under way must not keep the process.
    process.exit();
  });
}

async function bringUp({ log, worker }: Processor, dataDir: string, over: AbortSignal): Promise<void> {
  const show = status(process.stdout);
  const isOver = (): boolean => over.aborted;
  const patience: Patience = {
    sleep: (ms) => sleep(ms, undefined, { signal: over }).catch(() => {}),
    random: Math.random,
    health: {
      ...worker.health,
      degraded(subject, reason) {
        worker.health.degraded(subject, reason);
        show(`waiting, and trying again: ${reason}`);
      },
    },
    isStopping: isOver,
  };
  const book = await bookToFeed(log, dataDir, Date.now());
  if (book) {
    process.stdout.write(
      book.isResumed
        ? 'Going on with the generated book of business that was not fed to its end.\n'
        : 'The log is empty: feeding a generated book of business (a year of changes, made up).\n',
    );
    await feedBook(log, dataDir, book.note, loadContracts(), patience, (fed) => show(`${fed} changes fed`), isOver);
  }
  await untilCaughtUp(log, patience, (lag) => show(lag === 0 ? '' : `${plural(lag, 'record')} to go`), isOver);
  show('');
  if (!isOver()) process.stdout.write(renderSummary(await summarize(log, topics, TOP)));
}

/** One line that is drawn over on a terminal; elsewhere a line now and then. */
function status(stream: NodeJS.WriteStream): (text: string) => void {
  const quietMs = 2_000;
  let last = 0;
  return (text) => {
    if (stream.isTTY === true) stream.write(`\r\x1b[K${text}`);
    else if (text !== '' && Date.now() - last > quietMs) {
      last = Date.now();
      stream.write(`${text}\n`);
    }
  };
}

function renderSummary(summary: Summary): string {
  const paint = painter(process.stdout);
  const width = Math.max(14, ...Object.keys(summary.counts).map((set) => set.length));
  const lines = ['', `${'postures'.padEnd(width)}  ${POSTURES.map((posture) => posture.padStart(8)).join('  ')}`];
  for (const [set, counts] of Object.entries(summary.counts))
    lines.push(
      `${set.padEnd(width)}  ${POSTURES.map((posture) => paint(POSTURE_STYLES[posture], String(counts[posture]).padStart(8))).join('  ')}`,
    );
  lines.push(
    '',
    'most violated constraints',
    ...summary.mostViolated.map(
      ({ set, constraint, entities }) => `  ${String(entities).padStart(5)}  ${constraint} (${set})`,
    ),
  );
  lines.push('', 'worst accounts', ...summary.worstAccounts.map((one) => renderWorst(one, paint)));
  lines.push('', 'worst deals', ...summary.worstDeals.map((one) => renderWorst(one, paint)));
  const example = summary.worstDeals[0] ?? summary.worstAccounts[0];
  if (example)
    lines.push(
      '',
      `why?  npx plumbline explain --entity ${example.change.entity} --id ${printable(example.change.id)} --set ${example.change.set}`,
    );
  return `${lines.join('\n')}\n`;
}

function renderWorst({ change, score, violated }: WorstEntity, paint: ReturnType<typeof painter>): string {
  const posture = change.to ?? 'healthy';
  const amount = change.amount === null ? '' : `  ${Math.round(change.amount).toLocaleString('en-US')}`;
  const reasons =
    violated.length > 3 ? `${violated.slice(0, 3).join(', ')} and ${violated.length - 3} more` : violated.join(', ');
  return `  ${paint(POSTURE_STYLES[posture], posture.padEnd(8))}  ${score.toFixed(2).padStart(6)}  ${printable(`${change.id}  ${change.name ?? ''}${amount}  (${change.owner ?? 'no owner'})`)}  ${reasons}`;
}

const hints = (url: string): string =>
  [
    '',
    `The processor is up. It takes changes at ${url}/v1/changes:`,
    `  curl -H 'content-type: application/json' ${url}/v1/changes -d '{"event_id":"e-1","entity":"deal","id":"D-new","version":"1","changed_at":"${new Date().toISOString().slice(0, 19)}Z","op":"upsert","fields":{"stage":"proposal","amount":50000,"discount_pct":45}}'`,
    '  npx plumbline postures --id D-new',
    'Ctrl-C stops it; the next start goes on from here.',
    '',
  ].join('\n');
