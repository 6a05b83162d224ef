import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../support/cli.ts';

/** Kafka, its registry and Node come from several places: each is the same version everywhere. */

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const versionIn = (path: string, name: string): string =>
  new RegExp(`\\b${name} = '([^']+)'`).exec(textOf(path))?.[1] ?? `no ${name} in ${path}`;

test('compose, the tests and the packages of Maven have one version of Kafka and of the registry', () => {
  const { services } = parse(textOf('docker-compose.yml'), { merge: true }) as {
    readonly services: { readonly [name: string]: { readonly image: string } };
  };
  const kafka = `apache/kafka:${versionIn('deploy/kafka/packages.ts', 'KAFKA_VERSION')}`;
  const registry = `apicurio/apicurio-registry:${versionIn('deploy/kafka/packages.ts', 'REGISTRY_VERSION')}`;
  expect([services.kafka?.image, services.registry?.image]).toEqual([kafka, registry]);
  expect(versionIn('test/support/kafka-containers.ts', 'KAFKA_IMAGE')).toBe(kafka);
  expect(versionIn('test/support/kafka-containers.ts', 'REGISTRY_IMAGE')).toBe(registry);
  expect(textOf('deploy/kafka/pom.xml')).toContain(`<version>${kafka.split(':')[1]}</version>`);
});

test("the image has the pinned Node's major version", () => {
  const { dependencies } = JSON.parse(textOf('package.json')) as { readonly dependencies: { readonly node: string } };
  const bases = [...textOf('deploy/Dockerfile').matchAll(/^FROM node:(\S+)/gm)].map((match) => match[1]);
  expect(bases.length).toBeGreaterThan(0);
  expect([...new Set(bases)]).toEqual([`${dependencies.node.split('.')[0]}-bookworm-slim`]);
});
