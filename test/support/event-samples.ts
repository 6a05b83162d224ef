import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** CRMs' own events from public material: not part of the project, as other real data. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SAMPLES = `${process.env.PLUMBLINE_SHARED_DIR ?? `${ROOT}../shared`}/data/crm-event-samples`;

/** Why a test on samples can't run, or null. */
export const reasonToSkipSamples = (folder: string): string | null =>
  existsSync(`${SAMPLES}/${folder}`) ? null : `no samples: set PLUMBLINE_SHARED_DIR to where data/crm-event-samples is`;

export const sampleNames = (folder: string): readonly string[] =>
  existsSync(`${SAMPLES}/${folder}`) ? readdirSync(`${SAMPLES}/${folder}`).sort() : [];

export const sampleBytes = (folder: string, name: string): Buffer => readFileSync(`${SAMPLES}/${folder}/${name}`);

export const sampleJson = (folder: string, name: string): unknown => JSON.parse(sampleBytes(folder, name).toString());
