import type { HookPort, HookPorts } from '../console/hooks.ts';
import { PlumblineError } from '../errors.ts';
import { inTrace } from '../ingest/trace-context.ts';
import type { Log } from '../log/port.ts';
import type { Health } from '../runtime/health.ts';
import { readSources } from './connectors.ts';
import type { LogSettings } from './log-settings.ts';

/**
 * The webhooks that are set up: each puts what it takes on the topic of its format's connector, whose order is not
 * that of the events anyway.
 * @throws PlumblineError PLB-CLI-SETTING where there is no such connector
 */
export function hookPorts(settings: LogSettings, log: () => Log, health: Health): HookPorts {
  const { hubspot, pipedrive } = settings;
  return {
    ...(hubspot === undefined
      ? {}
      : { hubspot: { ...portTo('hubspot'), secret: hubspot.secret, publicUrl: hubspot.url } }),
    ...(pipedrive === undefined ? {} : { pipedrive: { ...portTo('pipedrive'), ...pipedrive } }),
  };

  function portTo(format: 'hubspot' | 'pipedrive'): HookPort {
    const source = readSources(settings).find(({ mapping }) => mapping.format === format);
    if (source === undefined)
      throw new PlumblineError('PLB-CLI-SETTING', `webhooks of ${format} are set up, and no connector takes them`, {
        hint: `give its mapping, such as --connect mappings/${format}.yaml`,
      });
    const { topic } = source;
    let next = 0;
    return {
      async append(bodies, trace) {
        const partitions = log().partitionsOf(topic);
        const partition = next++ % partitions;
        await log().append(bodies.map((value) => inTrace({ topic, partition, key: null, value, headers: {} }, trace)));
      },
      onRetry: (count) => health.count(`hooks.${format}.retried`, count),
    };
  }
}
