import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The samples are not part of the project: they lie beside it, or where PLUMBLINE_SHARED_DIR says. */
const SHARED = process.env.PLUMBLINE_SHARED_DIR ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const SAMPLES = pathToFileURL(`${SHARED}/data/crm-event-samples/`);

/** Tests of samples are skipped without. */
export const NO_SAMPLES = !existsSync(SAMPLES);

export const sampleFolder = (folder: string): URL => new URL(`${folder}/`, SAMPLES);

export const sampleBytes = (folder: string, file: string): Uint8Array =>
  readFileSync(new URL(file, sampleFolder(folder)));

type Json = { readonly [name: string]: unknown };

/** An empty object where there are no samples. */
export const sampleJson = (folder: string, file: string): Json =>
  NO_SAMPLES ? {} : JSON.parse(Buffer.from(sampleBytes(folder, file)).toString());

export const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
