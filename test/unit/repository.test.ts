import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The repository's own rules. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['src', 'schemas', 'consumers', 'producers', 'deploy', 'test', 'benchmarks', 'bin'];

/** What each folder may import besides itself: one way, from the shell inwards. */
const MAY_IMPORT: { readonly [folder: string]: readonly string[] } = {
  'src/errors.ts': [],
  'src/language': ['src/errors.ts'],
  schemas: ['src/language', 'src/errors.ts'],
  'src/compiler': ['src/language', 'src/errors.ts'],
  'src/log': ['src/errors.ts'],
  'src/ingest': ['src/log', 'src/language', 'schemas', 'src/errors.ts'],
  'src/connectors': ['src/ingest', 'src/language', 'schemas', 'src/errors.ts'],
  'src/book': ['src/ingest', 'src/language', 'schemas', 'src/errors.ts'],
  'src/scoring': ['src/compiler', 'src/ingest', 'src/log', 'src/language', 'schemas', 'src/errors.ts'],
  'src/rollout': ['src/scoring', 'src/compiler', 'src/language', 'schemas', 'src/errors.ts'],
  'src/evidence': ['src/rollout', 'src/scoring', 'src/language', 'src/errors.ts'],
  'src/wire': ['src/rollout', 'src/scoring', 'src/ingest', 'src/log', 'src/language', 'schemas', 'src/errors.ts'],
  consumers: [
    'src/evidence',
    'src/wire',
    'src/rollout',
    'src/scoring',
    'src/connectors',
    'src/ingest',
    'src/log',
    'src/language',
    'schemas',
    'src/errors.ts',
  ],
  producers: [
    'consumers',
    'src/wire',
    'src/rollout',
    'src/scoring',
    'src/ingest',
    'src/log',
    'src/language',
    'schemas',
    'src/errors.ts',
  ],
  'src/runtime': [
    'consumers',
    'producers',
    'src/connectors',
    'src/evidence',
    'src/rollout',
    'src/wire',
    'src/scoring',
    'src/compiler',
    'src/ingest',
    'src/log',
    'src/language',
    'schemas',
    'src/errors.ts',
  ],
  'src/telemetry': ['producers', 'src/runtime', 'src/ingest', 'src/log', 'src/errors.ts'],
  'src/console': [
    'src/runtime',
    'src/evidence',
    'src/rollout',
    'src/connectors',
    'src/scoring',
    'src/ingest',
    'src/language',
    'schemas',
    'src/errors.ts',
  ],
};
/** The command line puts everything together. */
const SHELL = 'src/cli';

/** Packages that one folder alone knows. */
const ONLY_IN: { readonly [name: string]: string } = {
  kafkajs: 'src/log/kafka',
  avsc: 'schemas',
  'node:sqlite': 'src/log/embedded',
  fastify: 'src/console',
  commander: SHELL,
  '@opentelemetry/api': 'src/telemetry',
  '@opentelemetry/exporter-metrics-otlp-http': 'src/telemetry',
  '@opentelemetry/exporter-trace-otlp-http': 'src/telemetry',
  '@opentelemetry/resources': 'src/telemetry',
  '@opentelemetry/sdk-metrics': 'src/telemetry',
  '@opentelemetry/sdk-trace': 'src/telemetry',
  yaml: 'src',
};

const files = SOURCES.flatMap((folder) => listFiles(join(ROOT, folder)));

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : /\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'/gms)].map(
    (match) => match[1] ?? '',
  );

const withoutComments = (text: string): string => text.replace(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm, '');

function folderOf(path: string): string {
  const parts = relative(ROOT, path).split('/');
  if (parts[0] === 'src') return parts.slice(0, 2).join('/');
  return parts[0] ?? '';
}

test('imports go one way', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = folderOf(file);
    const allowed = MAY_IMPORT[from];
    if (!allowed) continue;
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith('.')) continue;
      const to = folderOf(join(file, '..', specifier));
      if (to !== from && !allowed.includes(to)) wrong.push(`${relative(ROOT, file)} imports ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every source folder has its place in the order', () => {
  const folders = new Set(
    files.map(folderOf).filter((folder) => !['test', 'benchmarks', 'deploy', 'bin', SHELL].includes(folder)),
  );
  expect([...folders].filter((folder) => !MAY_IMPORT[folder])).toEqual([]);
});

test('a package with a home is known there alone', () => {
  const wrong = files
    .filter((file) => !/^(test|benchmarks|bin)\//.test(relative(ROOT, file)))
    .flatMap((file) =>
      importsOf(file).flatMap((name) =>
        ONLY_IN[name] && !relative(ROOT, file).startsWith(ONLY_IN[name])
          ? [`${relative(ROOT, file)} imports ${name}`]
          : [],
      ),
    );
  expect(wrong).toEqual([]);
});

test('no type escapes, no skipped or focused tests, no barrel files', () => {
  const forbidden = /\bas any\b|: any\b|@ts-(?:ignore|expect-error|nocheck)|\b(?:test|it|describe)\.only\(|\beval\(/;
  const wrong = files.filter(
    (file) => !file.endsWith('repository.test.ts') && forbidden.test(withoutComments(readFileSync(file, 'utf8'))),
  );
  expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  expect(
    files.filter((file) => /\/(index|utils?|helpers?)\.ts$/.test(file)).map((file) => relative(ROOT, file)),
  ).toEqual([]);
});

test('code is made from text in one place', () => {
  const makers = files.filter(
    (file) => relative(ROOT, file).startsWith('src/') && /new Function\(/.test(readFileSync(file, 'utf8')),
  );
  expect(makers.map((file) => relative(ROOT, file))).toEqual(['src/compiler/compile.ts']);
});

test('the lock file has every optional package, or a clean clone on another platform installs nothing', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: {
      readonly [path: string]: {
        readonly optionalDependencies?: { readonly [name: string]: string };
        readonly resolved?: string;
      };
    };
  };
  const has = (path: string, name: string): boolean =>
    [`${path}/node_modules/${name}`, `node_modules/${name}`].some((place) => Object.hasOwn(lock.packages, place));
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !has(path, name)),
  );
  expect(missing).toEqual([]);
  // No address of a registry: whoever installs has one of their own.
  expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});
