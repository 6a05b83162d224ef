import { loadContracts } from '../../../../schemas/contracts.ts';
import { type ImportCounts, importFiles, type Reject } from '../../../../src/connectors/table/import-files.ts';
import { readMapping } from '../../../../src/connectors/table/read-mapping.ts';
import { changeToJson } from '../../../../src/ingest/encode-change.ts';
import { formatDiagnostic } from '../../../../src/language/diagnostics.ts';

const contracts = loadContracts();

export interface Imported {
  readonly changes: readonly { readonly [name: string]: unknown }[];
  readonly rejects: readonly Reject[];
  readonly counts: ImportCounts;
}

/** Imports inline CSV texts, by the mapping's own names of the files. */
export async function importTexts(
  mappingText: string,
  files: { [id: string]: string | Uint8Array },
): Promise<Imported> {
  const { mapping, diagnostics } = readMapping(mappingText, 'm.yaml', contracts);
  if (!mapping) throw new Error(diagnostics.map((one) => formatDiagnostic(one, mappingText)).join('\n'));
  const inputs = new Map(
    Object.entries(files).map(([id, content]) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      // In small pieces, so that characters and rows are cut in the middle.
      const open = async function* () {
        for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
      };
      return [id, { open }];
    }),
  );
  const changes: { readonly [name: string]: unknown }[] = [];
  const rejects: Reject[] = [];
  const items = importFiles(mapping, inputs, contracts);
  for (;;) {
    const next = await items.next();
    if (next.done) return { changes, rejects, counts: next.value };
    if (next.value.kind === 'reject') rejects.push(next.value.reject);
    // As JSON has it: what is undefined is not there.
    else changes.push(JSON.parse(JSON.stringify(changeToJson(next.value.change, contracts))));
  }
}

export function diagnosticsOf(mappingText: string): string[] {
  const { mapping, diagnostics } = readMapping(mappingText, 'm.yaml', contracts);
  if (mapping && diagnostics.length === 0) return [];
  return diagnostics.map(
    (one) => `${one.line}:${one.column} ${one.code} ${one.message}${one.hint ? ` | ${one.hint}` : ''}`,
  );
}
