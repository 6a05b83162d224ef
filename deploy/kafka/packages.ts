import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KAFKA_VERSION = '4.3.0';
const REGISTRY_VERSION = '3.0.9';
const REGISTRY = 'apicurio-registry-app';

export interface Packages {
  /** A class path with Kafka in it. */
  readonly kafka: string;
  /** The registry's jar. */
  readonly registry: string;
}

/** Kept from run to run, for all checkouts. */
const cacheDirectory = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plumbline', `kafka-${KAFKA_VERSION}`);

/** Kafka and the registry from Maven's repository, fetched once: about 150 MB. */
export async function fetchPackages(tell: (text: string) => void): Promise<Packages> {
  const directory = cacheDirectory();
  const libraries = join(directory, 'lib');
  const registry = join(directory, `registry-${REGISTRY_VERSION}`);
  mkdirSync(directory, { recursive: true });
  if (!existsSync(libraries)) {
    tell(`fetching Kafka ${KAFKA_VERSION} (43 MB, once)`);
    await into(libraries, (part) =>
      run('mvn', [
        '-q',
        '-B',
        '-f',
        fileURLToPath(new URL('pom.xml', import.meta.url)),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${part}`,
      ]),
    );
  }
  if (!existsSync(registry)) {
    tell(`fetching the schema registry ${REGISTRY_VERSION} (104 MB, once)`);
    await into(registry, async (part) => {
      const artifact = `io.apicurio:${REGISTRY}:${REGISTRY_VERSION}:tar.gz:all`;
      await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${part}`]);
      const archive = join(part, `${REGISTRY}-${REGISTRY_VERSION}-all.tar.gz`);
      await run('tar', ['xzf', archive, '-C', part]);
      rmSync(archive);
    });
  }
  return { kafka: join(libraries, '*'), registry: join(registry, `${REGISTRY}-${REGISTRY_VERSION}-runner.jar`) };
}

/** A folder is there whole or not at all: what was cut off is fetched again. */
async function into(directory: string, fill: (part: string) => Promise<void>): Promise<void> {
  const part = `${directory}.${process.pid}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  await fill(part);
  if (existsSync(directory)) rmSync(part, { recursive: true });
  else renameSync(part, directory);
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2_000);
    });
    child.on('error', (error) => reject(new Error(`${command} can't be run (${error.message}): it is needed here`)));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}:\n${errors}`)),
    );
  });
}
