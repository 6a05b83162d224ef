import { readFileSync } from 'node:fs';

const SAMPLES = new URL('../../../shared/data/crm-event-samples/', import.meta.url);

export const sampleFolder = (folder: string): URL => new URL(`${folder}/`, SAMPLES);

export const sampleBytes = (folder: string, file: string): Uint8Array =>
  readFileSync(new URL(file, sampleFolder(folder)));

type Json = { readonly [name: string]: unknown };

export const sampleJson = (folder: string, file: string): Json =>
  JSON.parse(Buffer.from(sampleBytes(folder, file)).toString());

export const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
