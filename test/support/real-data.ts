import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadContracts } from '../../schemas/contracts.ts';
import { importFiles } from '../../src/connectors/table/import-files.ts';
import { readMapping } from '../../src/connectors/table/read-mapping.ts';
import type { Change } from '../../src/ingest/change.ts';
import { encodeChange } from '../../src/ingest/encode-change.ts';

/** The real data is not part of the project: it lies beside it, or where PLUMBLINE_SHARED_DIR says. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DATA = `${process.env.PLUMBLINE_SHARED_DIR ?? `${ROOT}../shared`}/data`;
const contracts = loadContracts();

/** Imports a data set by the mapping of its name. */
export async function importData(name: string) {
  const { mapping } = readMapping(readFileSync(`${ROOT}mappings/${name}.yaml`, 'utf8'), `${name}.yaml`, contracts);
  if (!mapping) throw new Error(`mappings/${name}.yaml is not right`);
  const files = new Map(
    [...mapping.files.values()].map((file) => [
      file.id,
      { open: () => createReadStream(`${DATA}/${name}/${file.name}`) },
    ]),
  );
  const hash = createHash('sha256');
  const changes: Change[] = [];
  const rejects: unknown[] = [];
  const items = importFiles(mapping, files, contracts);
  for (;;) {
    const next = await items.next();
    if (next.done) return { changes, rejects, counts: next.value, sha256: hash.digest('hex') };
    if (next.value.kind === 'reject') rejects.push(next.value.reject);
    else {
      changes.push(next.value.change);
      hash.update(`${encodeChange(next.value.change, contracts)}\n`);
    }
  }
}

/** Why a test on real data can't run, or null. */
export function reasonToSkip(name: string): string | null {
  return existsSync(`${DATA}/${name}`) ? null : `no data at ${name}: set PLUMBLINE_SHARED_DIR to where data/${name} is`;
}
