import { PlumblineError } from '../../errors.ts';
import type { Mapping } from './mapping.ts';

/**
 * Which of the given paths is which file of the mapping, by base name; `id=PATH` says it outright.
 * @throws PlumblineError PLB-MAP-FILE for a file that is missing, not known or given twice
 */
export function matchFiles(mapping: Mapping, given: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const argument of given) {
    const named = /^([a-z][a-z0-9_]*)=(.+)$/s.exec(argument);
    const [id, path] = named?.[1] && named[2] ? [named[1], named[2]] : [idOf(mapping, argument), argument];
    if (id === null) continue;
    if (!mapping.files.has(id)) throw wrongFile(`the mapping has no file \`${id}\``, mapping);
    if (found.has(id)) throw wrongFile(`two files are given as \`${id}\``, mapping);
    found.set(id, path);
  }
  const missing = [...mapping.files.values()].filter((file) => !found.has(file.id));
  if (missing.length === 0) return found;
  throw wrongFile(`missing: ${missing.map((file) => file.name).join(', ')}`, mapping);
}

/** null: the mapping says that it may be given and is not read. */
function idOf(mapping: Mapping, path: string): string | null {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  for (const file of mapping.files.values()) if (file.name === name) return file.id;
  if (mapping.ignore.has(name)) return null;
  throw wrongFile(`\`${name}\` is no file of the mapping`, mapping);
}

function wrongFile(message: string, mapping: Mapping): PlumblineError {
  const expected = [...mapping.files.values()].map((file) => `${file.name} (${file.id})`).join(', ');
  return new PlumblineError('PLB-MAP-FILE', message, {
    hint: `the mapping expects ${expected}; a file of another name is given as id=FILE`,
  });
}
