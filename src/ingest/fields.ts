import type { Contract, Fields, Value } from '../language/contract.ts';

/** Every field of the contract in its order, null where it is not known: what is scored has one shape a kind. */
export function wholeFields(contract: Contract, id: string, accountId: string | null, known: Fields): Fields {
  const fields: { [name: string]: Value } = {};
  for (const name of contract.fields.keys()) fields[name] = known[name] ?? null;
  fields.id = id;
  if (contract.fields.has('account_id')) fields.account_id = accountId;
  return fields;
}
