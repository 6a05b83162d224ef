/** Keys of a decoded event that no field of a record has; `__proto__` would change the object that it is put into. */
export const NOT_FIELDS: ReadonlySet<string> = new Set([
  'ChangeEventHeader',
  'replayId',
  'ReplayId',
  'schemaId',
  '_ObjectType',
  '_EventType',
  '__proto__',
]);
