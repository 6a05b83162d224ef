import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { InMemoryProvider, OpenFeature, type Provider } from '@openfeature/server-sdk';
import { parse } from 'yaml';
import { z } from 'zod';
import { PlumblineError } from '../errors.ts';
import { createHealth, type Health } from '../runtime/health.ts';
import { ALL_ON, type Switches } from '../runtime/switches.ts';
import type { LogSettings } from './log-settings.ts';

/** Flags by the names that a provider knows them by. */
const FLAGS: { readonly [K in keyof Switches]: string } = {
  processing: 'plumbline.processing',
  rollouts: 'plumbline.rollouts',
};
const DOMAIN = 'plumbline';
const SUBJECT = 'flags';
const EVERY_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;
const MAX_FILE_BYTES = 64 * 1024;

export const flagFileOf = ({ flags, data_dir }: LogSettings): string => flags.file ?? join(data_dir, 'flags.yaml');

export interface Flags {
  /** As they were read last, at most a second ago. */
  readonly now: () => Switches;
  close(): Promise<void>;
}

/**
 * Reads two flags again and again, by OpenFeature: of a file, or of whatever provider the settings name. One that can't
 * be read stays as it was, and health says so.
 * @throws PlumblineError PLB-FLAGS-PROVIDER
 */
export async function openFlags(settings: LogSettings, health: Health): Promise<Flags> {
  const file = settings.flags.provider === undefined ? fileFlags(flagFileOf(settings)) : null;
  const provider = file?.provider ?? (await loadProvider(settings.flags.provider ?? ''));
  let switches = ALL_ON;
  try {
    await OpenFeature.setProviderAndWait(DOMAIN, provider);
  } catch (cause) {
    throw refusedProvider(settings.flags.provider ?? '', cause);
  }
  const client = OpenFeature.getClient(DOMAIN);

  async function isOn(name: keyof Switches): Promise<boolean> {
    const { value, errorMessage, errorCode } = await inTime(client.getBooleanDetails(FLAGS[name], switches[name]));
    if (errorCode === undefined) {
      if (typeof value === 'boolean') return value;
      throw new Error(`\`${FLAGS[name]}\` is neither true nor false`);
    }
    // One that the provider doesn't have is on.
    if (errorCode === 'FLAG_NOT_FOUND') return true;
    throw new Error(errorMessage ?? errorCode);
  }

  async function look(): Promise<void> {
    try {
      file?.read();
      switches = { processing: await isOn('processing'), rollouts: await isOn('rollouts') };
      health.recovered(SUBJECT);
    } catch (error) {
      health.degraded(
        SUBJECT,
        `PLB-FLAGS-READ ${firstLine(error instanceof Error ? error.message : String(error))}: they stay as they were`,
      );
    }
  }

  await look();
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null;
    });
  }, EVERY_MS);
  timer.unref();
  return {
    now: () => switches,
    async close() {
      clearInterval(timer);
      await looking;
      await OpenFeature.clearProviders();
    },
  };
}

/** A parser shows the place below its message. */
const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** A provider that never answers must not keep the process from ending. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(ANSWER_TIMEOUT_MS, null, { signal: over.signal }).then(() => {
    throw new Error(`the provider has not answered after ${ANSWER_TIMEOUT_MS / 1_000} seconds`);
  });
  late.catch(() => {});
  return await Promise.race([answer, late]).finally(() => over.abort());
}

/** As they are now. @throws PlumblineError PLB-FLAGS-PROVIDER */
export async function switchesNow(settings: LogSettings): Promise<Switches> {
  const flags = await openFlags(settings, createHealth());
  const switches = flags.now();
  await flags.close();
  return switches;
}

const shape = z.strictObject({ processing: z.boolean().optional(), rollouts: z.boolean().optional() });

/** `processing: false` in a file; without the file, or the line, it is on. */
function fileFlags(path: string): { readonly provider: InMemoryProvider; read(): void } {
  const provider = new InMemoryProvider({});
  let read = '';
  return {
    provider,
    read() {
      const text = existsSync(path) ? textOf(path) : '';
      if (text === read) return;
      const found = shape.safeParse(parse(text, { maxAliasCount: 0 }) ?? {});
      if (!found.success)
        throw new Error(
          `\`${path}\` is no list of flags: ${found.error.issues[0]?.message}; expected processing: true|false, rollouts: true|false`,
        );
      const flags = Object.entries(FLAGS).map(([name, key]) => {
        const isOn = found.data[name as keyof Switches] ?? true;
        return [key, { variants: { on: true, off: false }, defaultVariant: isOn ? 'on' : 'off', disabled: false }];
      });
      provider.putConfiguration(Object.fromEntries(flags));
      read = text;
    },
  };
}

function textOf(path: string): string {
  if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`\`${path}\` has more than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

/** A module whose default export makes a provider. It is the operator's own code, as the settings name it. */
async function loadProvider(path: string): Promise<Provider> {
  try {
    const { default: make } = (await import(pathToFileURL(path).href)) as { readonly default: () => Provider };
    return await make();
  } catch (cause) {
    throw refusedProvider(path, cause);
  }
}

const refusedProvider = (path: string, cause: unknown): PlumblineError =>
  new PlumblineError('PLB-FLAGS-PROVIDER', `\`${path}\` gives no provider of flags`, {
    hint: 'expected a module whose default export is a function that gives an OpenFeature provider (docs/rollouts.md)',
    cause,
  });
