import { once } from 'node:events';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Contracts, loadContracts } from '../../schemas/contracts.ts';
import { MAX_MAPPING_LENGTH } from '../connectors/mapping/mapping-source.ts';
import { type ImportCounts, type InputFile, importFiles, type Reject } from '../connectors/table/import-files.ts';
import type { Mapping } from '../connectors/table/mapping.ts';
import { matchFiles } from '../connectors/table/match-files.ts';
import { readMapping } from '../connectors/table/read-mapping.ts';
import { formatError, PlumblineError } from '../errors.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import { EXIT } from './exit-codes.ts';
import { lineWriter } from './line-writer.ts';
import { readText } from './load-sets.ts';
import { plural } from './plural.ts';
import { progress } from './progress.ts';

/** Rejects that are shown on stderr where no file takes them. */
const MAX_SHOWN_REJECTS = 20;

export function importCommand(program: Command): void {
  program
    .command('import')
    .description('turn CSV files into canonical changes, as NDJSON')
    .requiredOption('--mapping <file>', 'how rows become changes (docs/import.md)')
    .option('--rejects <file>', 'where the rows go that can not be mapped, as NDJSON')
    .argument('<file...>', "CSV files by the mapping's names, or NAME=FILE")
    .action(async (given: string[], options: { mapping: string; rejects?: string }) => {
      const contracts = loadContracts();
      const mapping = loadMapping(options.mapping, contracts);
      if (mapping === null) {
        process.exitCode = EXIT.invalid;
        return;
      }
      try {
        const paths = matchFiles(mapping, given);
        const files = openable(paths);
        const rejects = await openRejects(options.rejects, [options.mapping, ...paths.values()]);
        const counts = await run(mapping, files, contracts, rejects);
        await rejects.end(counts);
        if (counts.rejected > 0) process.exitCode = EXIT.refused;
      } catch (error) {
        if (!(error instanceof PlumblineError) || error.code !== 'PLB-MAP-FILE') throw error;
        process.stderr.write(`${formatError(error)}\n`);
        process.exitCode = EXIT.invalid;
      }
    });
}

function loadMapping(file: string, contracts: Contracts): Mapping | null {
  const text = readText(file, 4 * MAX_MAPPING_LENGTH);
  const { mapping, diagnostics } = readMapping(text, file, contracts);
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, text)}\n`);
  return mapping;
}

function openable(paths: ReadonlyMap<string, string>): ReadonlyMap<string, InputFile> {
  return new Map(
    [...paths].map(([id, path]) => {
      // Said before the first row is read, not in the middle.
      try {
        if (!statSync(path).isDirectory()) return [id, { open: () => createReadStream(path) }];
      } catch (cause) {
        throw new PlumblineError('PLB-MAP-FILE', `can't read \`${path}\``, { hint: 'check the path', cause });
      }
      throw new PlumblineError('PLB-MAP-FILE', `\`${path}\` is a directory`, { hint: 'name its files' });
    }),
  );
}

async function run(
  mapping: Mapping,
  files: ReadonlyMap<string, InputFile>,
  contracts: Contracts,
  rejects: RejectSink,
): Promise<ImportCounts> {
  const out = lineWriter(process.stdout);
  const shown = progress(process.stderr, 'changes');
  const items = importFiles(mapping, files, contracts);
  let counts: ImportCounts = { rows: 0, changes: 0, rejected: 0 };
  for (;;) {
    const next = await items.next();
    if (next.done) {
      counts = next.value;
      break;
    }
    if (next.value.kind === 'reject') await rejects.add(next.value.reject);
    else if (await out.write(encodeChange(next.value.change, contracts))) shown.step();
    else {
      await items.return(counts);
      break;
    }
  }
  shown.end();
  await out.flush();
  return counts;
}

interface RejectSink {
  add(reject: Reject): Promise<void>;
  end(counts: ImportCounts): Promise<void>;
}

async function openRejects(path: string | undefined, inputs: readonly string[]): Promise<RejectSink> {
  if (path === undefined) return showRejects();
  if (inputs.some((input) => resolve(input) === resolve(path)))
    throw new PlumblineError('PLB-MAP-FILE', `\`${path}\` is read here and can't take the rejects`);
  const stream = createWriteStream(path);
  await once(stream, 'open').catch((cause: unknown) => {
    throw new PlumblineError('PLB-MAP-FILE', `can't write \`${path}\``, { hint: 'check the path of --rejects', cause });
  });
  const lines = lineWriter(stream);
  return {
    add: async (reject) => {
      await lines.write(JSON.stringify(reject));
    },
    end: async (counts) => {
      await lines.flush();
      stream.end();
      await once(stream, 'close');
      if (counts.rejected > 0) process.stderr.write(`${summary(counts)}; see ${path}\n`);
    },
  };
}

function showRejects(): RejectSink {
  let shown = 0;
  return {
    add: async ({ file, line, code, message }) => {
      shown += 1;
      if (shown <= MAX_SHOWN_REJECTS) process.stderr.write(`${file}:${line}: error ${code}: ${message}\n`);
    },
    end: async (counts) => {
      const more =
        shown > MAX_SHOWN_REJECTS ? `, ${shown - MAX_SHOWN_REJECTS} not shown: --rejects FILE takes them` : '';
      if (counts.rejected > 0) process.stderr.write(`${summary(counts)}${more}\n`);
    },
  };
}

const summary = (counts: ImportCounts): string =>
  `${plural(counts.rejected, 'row was', 'rows were')} rejected, ${plural(counts.changes, 'change')} written`;
