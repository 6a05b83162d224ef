import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { requireSets } from './load-sets.ts';
import { makeLogger, startProcessor, untilSignal } from './processor.ts';
import { readSettings, type SettingsFlags, withProcessorFlags, withStages } from './settings.ts';

export function runCommand(program: Command): void {
  withStages(
    withProcessorFlags(program.command('run').description('run the processor, or a worker on Kafka, until Ctrl-C')),
  ).action(async (flags: SettingsFlags) => {
    const logger = makeLogger(process.env.PLUMBLINE_LOG_LEVEL ?? 'info');
    const settings = readSettings(flags, process.env);
    // From the beginning: as process 1 of a container it would otherwise not hear a signal until it is up.
    const signal = untilSignal();
    const started = await Promise.race([startProcessor(settings, requireSets(settings.setFiles), logger), signal]);
    if (started === undefined) {
      logger.info('stopped before it was up');
      process.exit(EXIT.ok);
    }
    const processor = started;
    for (const set of processor.activated) logger.info({ set: set.name, version: set.version }, 'set activated');
    for (const set of processor.retired) logger.info({ set }, 'set retired: it is not among the sets given');
    logger.info({ url: processor.url }, 'processor is up');
    const end = await Promise.race([signal, processor.worker.ended]);
    await processor.stop();
    if (end === undefined || end === 'stopped') {
      logger.info('processor stopped');
      // What is still under way after the deadline, such as a connection, must not keep the process.
      process.exit(EXIT.ok);
    }
    logger.error(
      { reasons: processor.worker.health.report().reasons },
      end === 'lost' ? 'another process has taken the tasks over' : 'processor failed',
    );
    process.exit(EXIT.failure);
  });
}
