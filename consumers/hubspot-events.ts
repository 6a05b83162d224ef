import { decodeHubspot } from '../src/connectors/hubspot/decode.ts';
import type { Decoded } from '../src/connectors/source-event.ts';
import type { LogRecord } from '../src/log/port.ts';

/** Events of HubSpot: any key, value what its webhooks send, an array of events or one. */
export const hubspotEvents = {
  decode: (record: LogRecord): Decoded => decodeHubspot(record.value),
};
