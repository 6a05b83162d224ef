import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** CRMs' own events from public material: not part of the project, they lie beside it, or where PLUMBLINE_SHARED_DIR says. */
const SHARED = process.env.PLUMBLINE_SHARED_DIR ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const SAMPLES = pathToFileURL(`${SHARED}/data/crm-event-samples/`);

/** Why a test on samples can't run, or null. */
export const REASON_TO_SKIP_SAMPLES = existsSync(SAMPLES)
  ? null
  : 'no samples: set PLUMBLINE_SHARED_DIR to where data/crm-event-samples is';
export const NO_SAMPLES = REASON_TO_SKIP_SAMPLES !== null;

export const sampleFolder = (folder: string): URL => new URL(`${folder}/`, SAMPLES);

/** None where there are no samples. */
export const sampleNames = (folder: string): readonly string[] =>
  NO_SAMPLES ? [] : readdirSync(sampleFolder(folder)).sort();

export const sampleBytes = (folder: string, file: string): Buffer => readFileSync(new URL(file, sampleFolder(folder)));

type Json = { readonly [name: string]: unknown };

/** An empty object where there are no samples. */
export const sampleJson = (folder: string, file: string): Json =>
  NO_SAMPLES ? {} : JSON.parse(sampleBytes(folder, file).toString());

export const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
