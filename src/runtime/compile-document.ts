import type { SetDocument } from '../../consumers/sets.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { type CompiledSet, compileSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';

/**
 * Compiles a document that lies on the log.
 * @throws PlumblineError PLB-SET-CONTRACT where it doesn't give the version it is known by: contract or language moved on
 */
export function compileDocument(document: SetDocument, contracts: Contracts): CompiledSet {
  const { set, diagnostics } = compileSet(
    `${document.name}@${document.version.slice(0, 12)}`,
    document.document,
    contracts,
  );
  if (!set)
    throw new PlumblineError(
      'PLB-SET-CONTRACT',
      `version ${document.version.slice(0, 12)} of \`${document.name}\` no longer checks: ${diagnostics[0]?.message}`,
      { hint: 'run with the contracts it was made for, or activate a version for the present ones' },
    );
  // A new field in a contract changes every version; the old document stays what it was, under the name it was given.
  return set.version === document.version ? set : { ...set, version: document.version };
}
