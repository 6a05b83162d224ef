/** An Avro schema as parsed JSON. */
export type AvroJson = string | readonly AvroJson[] | AvroObject;
export type AvroObject = { readonly [key: string]: unknown };

export const isUnion = (schema: AvroJson): schema is readonly AvroJson[] => Array.isArray(schema);

export const isObject = (schema: AvroJson): schema is AvroObject => typeof schema === 'object' && !isUnion(schema);

/** The members of a schema that are schemas themselves, put through `change`. */
export function mapSchema(schema: AvroObject, change: (part: AvroJson) => AvroJson): AvroObject {
  const { fields, items, values, type } = schema;
  return {
    ...schema,
    ...(typeof type === 'object' && type !== null ? { type: change(type as AvroJson) } : {}),
    ...(Array.isArray(fields)
      ? {
          fields: (fields as readonly AvroObject[]).map((field) => ({
            ...field,
            type: change(field.type as AvroJson),
          })),
        }
      : {}),
    ...(items === undefined ? {} : { items: change(items as AvroJson) }),
    ...(values === undefined ? {} : { values: change(values as AvroJson) }),
  };
}
