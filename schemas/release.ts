// Keeps the present record schemas as released, where they differ from the last ones kept: `npm run schemas:release`.
import { writeFileSync } from 'node:fs';
import { incompatibility } from './compatibility.ts';
import { loadContracts } from './contracts.ts';
import { loadRecordSchemas, RECORD_KINDS } from './record-schemas.ts';
import { RELEASED, releasedSchemas } from './released.ts';

const present = loadRecordSchemas(loadContracts());
for (const kind of RECORD_KINDS) {
  const released = releasedSchemas(kind);
  const last = released[released.length - 1];
  if (last !== undefined && JSON.stringify(last) === JSON.stringify(present[kind])) continue;
  for (const schema of released) {
    const reason = incompatibility(present[kind], schema);
    if (reason !== null)
      throw new Error(`${kind} can't be released: it can't read what was released before: ${reason}`);
  }
  const name = `${kind}.${released.length + 1}.avsc`;
  writeFileSync(new URL(name, RELEASED), `${JSON.stringify(present[kind], null, 2)}\n`);
  process.stdout.write(`${name}\n`);
}
