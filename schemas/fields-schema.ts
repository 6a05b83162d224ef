import type { Contract, FieldType } from '../src/language/contract.ts';
import type { AvroJson, AvroObject } from './avro-json.ts';

/** What names the entity lies in the record around its fields. */
const NOT_AMONG_FIELDS = new Set(['id', 'account_id']);

/**
 * The fields of a contract as they lie in a change or an image: each may be null, also one that the contract
 * requires, because a change carries some of them and an older writer may not know one. The contract's own rules are
 * checked when a change is decoded. Types are those a value has in memory: long and double, whatever width the
 * contract names.
 */
export function fieldsSchema(contract: Contract): AvroObject {
  const fields = [...contract.fields.values()].filter(({ name }) => !NOT_AMONG_FIELDS.has(name));
  return {
    type: 'record',
    name: 'Fields',
    namespace: `plumbline.${contract.entity}`,
    doc: `The fields of a contract (schemas/${contract.entity}.avsc); null is a field without a value.`,
    fields: fields.map(({ name, type, doc }) => nullable(name, type, doc)),
  };
}

const nullable = (name: string, type: FieldType, doc: string): AvroObject => ({
  name,
  type: ['null', typeSchema(type)],
  ...(doc === '' ? {} : { doc }),
  default: null,
});

function typeSchema(type: FieldType): AvroJson {
  switch (type.kind) {
    case 'string':
    case 'double':
      return type.kind;
    case 'int':
      return 'long';
    case 'bool':
      return 'boolean';
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'instant':
      return { type: 'long', logicalType: 'timestamp-millis' };
    case 'enum':
      return { type: 'enum', name: type.name, symbols: type.symbols };
    case 'record':
      return {
        type: 'record',
        name: type.name,
        fields: [...type.fields.values()].map((field) => nullable(field.name, field.type, field.doc)),
      };
    case 'list':
      return { type: 'array', items: typeSchema(type.items), max_items: type.maxItems };
  }
}
