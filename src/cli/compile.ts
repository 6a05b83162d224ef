import { type Command, Option } from 'commander';
import { emittedCode } from '../compiler/compile.ts';
import { COST_LIMIT, costBoundOf } from '../compiler/cost.ts';
import { nowDependenceOf } from '../compiler/emit-breakpoints.ts';
import type { Projection } from '../compiler/read-set.ts';
import { typeName } from '../language/expression.ts';
import { requireSets } from './load-sets.ts';

export function compileCommand(program: Command): void {
  program
    .command('compile')
    .description("show a set's version, what it reads, what depends on `now`, its cost bound and types")
    .argument('<set>', 'YAML document')
    .addOption(new Option('--emit <what>', 'show the generated code').choices(['js']))
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action((file: string, options: { emit?: string; format: string }) => {
      for (const set of requireSets([file])) {
        if (options.emit === 'js') {
          process.stdout.write(`${emittedCode(set.checked)}\n`);
          continue;
        }
        const facts = {
          set: set.name,
          entity: set.entity,
          version: set.version,
          reads: { deal: pathsOf(set.reads.deal), account: pathsOf(set.reads.account) },
          depends_on_now: nowDependenceOf(set.checked),
          cost_bound: costBoundOf(set.checked),
          cost_limit: COST_LIMIT,
          parameters: Object.fromEntries(set.checked.params.map((param) => [param.name, typeName(param.type)])),
          types: Object.fromEntries(
            set.checked.constraints.map((constraint) => [
              constraint.id,
              `${constraint.kind}: ${typeName(constraint.expr.expr.type)}${constraint.expr.expr.mayMiss ? ', may be missing' : ''}`,
            ]),
          ),
        };
        process.stdout.write(options.format === 'json' ? `${JSON.stringify(facts)}\n` : renderFacts(facts));
      }
    });
}

const pathsOf = (projection: Projection): readonly string[] =>
  [...projection].flatMap(([name, sub]) =>
    sub && sub.size > 0 ? [...sub].sort().map((part) => `${name}[].${part}`) : [name],
  );

interface Facts {
  readonly set: string;
  readonly entity: string;
  readonly version: string;
  readonly reads: { readonly deal: readonly string[]; readonly account: readonly string[] };
  readonly depends_on_now: readonly { readonly constraint: string; readonly solved: boolean }[];
  readonly cost_bound: number;
  readonly cost_limit: number;
  readonly parameters: { readonly [name: string]: string };
  readonly types: { readonly [id: string]: string };
}

function renderFacts(facts: Facts): string {
  const now = facts.depends_on_now.map(
    ({ constraint, solved }) => `${constraint}${solved ? '' : ' (looked at again every recheck_every)'}`,
  );
  return [
    `${facts.set} (${facts.entity})`,
    `version     ${facts.version}`,
    `reads       deal: ${facts.reads.deal.join(', ') || 'nothing'}`,
    `            account: ${facts.reads.account.join(', ') || 'nothing'}`,
    `on now      ${now.join(', ') || 'nothing'}`,
    `cost bound  ${facts.cost_bound} steps with every list full; ${facts.cost_limit} is the limit`,
    `parameters  ${
      Object.entries(facts.parameters)
        .map(([name, type]) => `${name}: ${type}`)
        .join(', ') || 'none'
    }`,
    'types',
    ...Object.entries(facts.types).map(([id, type]) => `  ${id}: ${type}`),
    '',
  ].join('\n');
}
