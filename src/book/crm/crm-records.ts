import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import type { CrmRecord } from './crm-record.ts';
import { debeziumRecords } from './debezium.ts';
import { hubspotRecords } from './hubspot.ts';
import { pipedriveRecords } from './pipedrive.ts';
import { salesforceRecords } from './salesforce.ts';

/**
 * A history (each change once, in order of time) as a CRM's own events, in the order in which that CRM delivers them.
 * What it can't tell is left out, see toldByCrms. Pure: the same seed gives the same records.
 */
export const CRM_TELLERS = {
  salesforce: salesforceRecords,
  hubspot: hubspotRecords,
  pipedrive: pipedriveRecords,
  debezium: debeziumRecords,
} as const satisfies {
  readonly [format: string]: (seed: number, history: Iterable<Change>, contracts: Contracts) => Iterable<CrmRecord>;
};

export type Crm = keyof typeof CRM_TELLERS;
