// A Kafka cluster and a schema registry for development, from Maven on Java 17: `npm run kafka [-- --brokers 3]`.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from './cluster.ts';

const MAX_BROKERS = 5;

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1' },
    port: { type: 'string', default: '9092' },
    'registry-port': { type: 'string', default: '8081' },
    directory: { type: 'string', default: '.plumbline/kafka' },
  },
});

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value >= least && value <= most) return value;
  process.stderr.write(`--${name} is \`${text}\`, expected a whole number from ${least} to ${most}\n`);
  process.exit(3);
}

const options = {
  brokers: whole('brokers', values.brokers, 1, MAX_BROKERS),
  port: whole('port', values.port, 0, 65_535),
  registryPort: whole('registry-port', values['registry-port'], 0, 65_535),
  directory: resolve(values.directory),
  tell: (text: string) => process.stderr.write(`${text} …\n`),
};

try {
  const cluster = await startCluster(options);
  process.stdout.write(
    [
      `Kafka is ready at ${cluster.brokers.join(',')}, its schema registry at ${cluster.registryUrl}.`,
      `Data and logs lie in ${options.directory}. Ctrl-C stops it.`,
      '',
    ].join('\n'),
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    cluster.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
