import { decodePipedrive } from '../src/connectors/pipedrive/decode.ts';
import type { Decoded } from '../src/connectors/source-event.ts';
import type { LogRecord } from '../src/log/port.ts';

/** Events of Pipedrive: any key, value what its webhooks send, v1 or v2. */
export const pipedriveEvents = {
  decode: (record: LogRecord): Decoded => decodePipedrive(record.value),
};
