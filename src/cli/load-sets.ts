import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadContracts } from '../../schemas/contracts.ts';
import { type CompiledSet, compileSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { type Diagnostic, formatDiagnostic } from '../language/diagnostics.ts';
import { MAX_DOCUMENT_LENGTH } from '../language/read-document.ts';
import { EXIT } from './exit-codes.ts';

export interface LoadedSet {
  readonly file: string;
  readonly text: string;
  readonly set: CompiledSet | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a text file. @throws PlumblineError PLB-CLI-FILE, PLB-CLI-ENCODING */
export function readText(file: string, maxBytes = 4 * MAX_DOCUMENT_LENGTH): string {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file);
    if (bytes.length > maxBytes)
      throw new PlumblineError('PLB-CLI-FILE', `\`${file}\` has ${bytes.length} bytes, at most ${maxBytes}`);
    return decodeUtf8(bytes, file).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof PlumblineError) throw error;
    throw new PlumblineError(
      'PLB-CLI-FILE',
      `can't read \`${file}\`: ${error instanceof Error ? error.message : error}`,
      { hint: 'check the path', cause: error },
    );
  }
}

function decodeUtf8(bytes: Buffer, file: string): string {
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return text;
  // Written back, it differs first where a replacement character stands for what is no UTF-8.
  const offset = Buffer.from(text).findIndex((byte, at) => byte !== bytes[at]);
  const line = bytes.subarray(0, offset).toString('latin1').split('\n').length;
  throw new PlumblineError('PLB-CLI-ENCODING', `the file is not UTF-8: byte ${offset} is of no character`, {
    where: { file, line },
    hint: 'save it as UTF-8',
  });
}

export function loadSet(file: string): LoadedSet {
  const text = readText(file);
  return { file, text, ...compileSet(file, text, loadContracts()) };
}

/**
 * Compiles sets that are to score together, or ends with their diagnostics on stderr and exit code 3.
 * @throws PlumblineError PLB-CLI-SET-TWICE: answers are kept by a set's name, so that one of the two would be lost
 */
export function requireSets(files: readonly string[]): readonly CompiledSet[] {
  const sets = requireVersions(files);
  const fileOf = new Map<string, string>();
  sets.forEach(({ name, checked: { file } }) => {
    const other = fileOf.get(name);
    if (other !== undefined)
      throw new PlumblineError(
        'PLB-CLI-SET-TWICE',
        resolve(other) === resolve(file)
          ? `\`${file}\` is given twice`
          : `\`${other}\` and \`${file}\` both hold a set named \`${name}\``,
        { hint: 'a name stands for one document: leave one out, or give it another `name`' },
      );
    fileOf.set(name, file);
  });
  return sets;
}

/** Like requireSets, but several versions of one set may be among them. */
export function requireVersions(files: readonly string[]): readonly CompiledSet[] {
  const loaded = files.map(loadSet);
  const sets = loaded.flatMap(({ set }) => (set ? [set] : []));
  if (sets.length < loaded.length) {
    printDiagnostics(loaded);
    process.exit(EXIT.invalid);
  }
  return sets;
}

export function printDiagnostics(loaded: readonly LoadedSet[]): void {
  for (const { diagnostics, text } of loaded)
    for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, text)}\n`);
}

/** `--set A B FILE` gives FILE to the option, which takes all that follows it: the last one is the file then. */
export function separateFile(
  sets: readonly string[],
  file: string | undefined,
): { readonly sets: readonly string[]; readonly file: string } {
  const last = sets[sets.length - 1];
  if (file !== undefined) return { sets, file };
  if (sets.length < 2 || last === undefined)
    throw new PlumblineError('PLB-CLI-USAGE', 'the input file is missing', {
      hint: 'give it after the options; - reads stdin',
    });
  return { sets: sets.slice(0, -1), file: last };
}
