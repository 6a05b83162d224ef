import { groupName } from '../log/place.ts';
import { readTelemetrySettings } from '../telemetry/settings.ts';
import type { Telemetry, TelemetryOptions } from '../telemetry/start.ts';
import type { LogSettings } from './log-settings.ts';

/** At a clean stop, for what is left to be exported. */
export const FLUSH_DEADLINE_MS = 2_000;

/**
 * null unless OpenTelemetry's variables ask for it: then its packages are not even loaded.
 * @throws PlumblineError PLB-CLI-SETTING
 */
export async function openTelemetry(env: NodeJS.ProcessEnv, options: TelemetryOptions): Promise<Telemetry | null> {
  const settings = readTelemetrySettings(env);
  if (settings === null) return null;
  const { startTelemetry } = await import('../telemetry/start.ts');
  return startTelemetry(settings, options);
}

/** What telemetry says of tasks on this cluster, or on the embedded log (null). */
export const watchedOn = (cluster: LogSettings | null): Pick<TelemetryOptions, 'system' | 'groupOf'> => ({
  system: cluster === null ? 'plumbline' : 'kafka',
  groupOf: (input) => groupName(cluster?.kafka.prefix ?? '', input),
});
