import type { Contract, Fields, Value } from '../language/contract.ts';

/** Every field of the contract in its order, null where it is missing: images of a kind have one shape. */
export function wholeFields(contract: Contract, id: string, accountId: string | null, known: Fields): Fields {
  const fields: { [name: string]: Value } = {};
  for (const name of contract.fields.keys()) fields[name] = known[name] ?? null;
  fields.id = id;
  if (contract.fields.has('account_id')) fields.account_id = accountId;
  return fields;
}

/** Images have every field of their contract; on the log and in the state null ones are left out. */
export function withoutNulls(fields: Fields): Fields {
  const known: { [name: string]: Value } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined) known[name] = value;
  }
  return known;
}
