import { readFileSync } from 'node:fs';
import { type Contract, type EntityKind, readContract } from '../src/language/contract.ts';

export type Contracts = { readonly [K in EntityKind]: Contract };

const load = (entity: EntityKind): Contract =>
  readContract(entity, JSON.parse(readFileSync(new URL(`${entity}.avsc`, import.meta.url), 'utf8')));

/** Reads the contracts that lie in `schemas/`: deal.avsc and account.avsc. */
export function loadContracts(): Contracts {
  return { deal: load('deal'), account: load('account') };
}
