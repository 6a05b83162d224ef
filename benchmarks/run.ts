// All comparisons, or those that are named: `npm run bench`, `npm run bench -- core compile`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compileRow } from './compile.ts';
import { connectorRows } from './connectors.ts';
import { coreRows } from './core.ts';
import { shippedSets, sightsOfBook } from './corpus.ts';
import { embeddedRow } from './embedded.ts';
import { engineRows } from './engines.ts';
import { entitiesRow } from './entities.ts';
import { kafkaRestoreRow, kafkaRows } from './kafka.ts';
import { kafkaRebalanceRows } from './kafka-rebalance.ts';
import type { Row } from './measure.ts';
import { memoryRow } from './memory.ts';
import { shadowRows } from './shadow.ts';
import { sweepRow } from './sweep.ts';

const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));
/** One image in seven of the book: more than fits a processor's caches, and quick to make. */
const EVERY = 7;

const sets = shippedSets();
const sights = sightsOfBook(EVERY);
const GROUPS: { readonly [name: string]: () => readonly Row[] | Promise<readonly Row[]> } = {
  core: () => coreRows(sets, sights),
  engines: () => engineRows(sets, sights),
  compile: () => [compileRow()],
  connectors: connectorRows,
  embedded: async () => [await embeddedRow(sets)],
  entities: async () => [await entitiesRow(sets)],
  kafka: () => kafkaRows(sets),
  'kafka-rebalance': () => kafkaRebalanceRows(sets),
  'kafka-restore': async () => [await kafkaRestoreRow(sets)],
  memory: async () => [await memoryRow()],
  shadow: () => shadowRows(sets),
  sweep: async () => [await sweepRow(sets)],
};

interface Results {
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly groups: { [name: string]: readonly Row[] };
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(GROUPS, name));
if (unknown.length > 0) {
  process.stderr.write(`no comparison ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}\n`);
  process.exit(3);
}

const before = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results).groups : {};
const groups = { ...before };
const [cpu] = cpus();
let missed = 0;
for (const [name, run] of Object.entries(GROUPS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const rows = await run();
  groups[name] = rows;
  for (const one of rows) {
    if (one.met === false) missed++;
    process.stdout.write(`${line(one)}\n`);
  }
  const results: Results = { node: process.version, processor: cpu?.model ?? '', cores: cpus().length, groups };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}
process.exitCode = missed > 0 ? 1 : 0;

function line({ name, ours, peer, ratio, target, met, unit, note }: Row): string {
  const verdict = met === null ? '' : met ? 'met' : 'MISSED';
  const value = (n: number): string => n.toPrecision(4);
  return `${verdict.padEnd(6)}  ${ratio.toFixed(2).padStart(7)}  (${target ?? 'told'})  ${name}: ${value(ours)} against ${value(peer)} ${unit}${note ? `; ${note}` : ''}`;
}
