import { readFileSync } from 'node:fs';
import { loadContracts } from '../../../../schemas/contracts.ts';
import type { EventMapping } from '../../../../src/connectors/mapping/event-mapping.ts';
import { type Mapped, mapEvent } from '../../../../src/connectors/mapping/map-event.ts';
import { readEventMapping } from '../../../../src/connectors/mapping/read-event-mapping.ts';
import type { RecordEvent, SourceEvent } from '../../../../src/connectors/source-event.ts';
import { PlumblineError } from '../../../../src/errors.ts';
import { changeToJson } from '../../../../src/ingest/encode-change.ts';
import { formatDiagnostic } from '../../../../src/language/diagnostics.ts';

export const contracts = loadContracts();

/** `line:column CODE message | hint`. */
export const diagnosticsOf = (text: string): string[] =>
  readEventMapping(text, 'm.yaml', contracts).diagnostics.map(
    (one) => `${one.line}:${one.column} ${one.code} ${one.message}${one.hint ? ` | ${one.hint}` : ''}`,
  );

export function mappingOf(text: string): EventMapping {
  const { mapping, diagnostics } = readEventMapping(text, 'm.yaml', contracts);
  if (mapping === null) throw new Error(diagnostics.map((one) => formatDiagnostic(one, text)).join('\n'));
  return mapping;
}

export const shippedMapping = (name: string): EventMapping => mappingOf(readFileSync(`mappings/${name}.yaml`, 'utf8'));

/** As JSON has it: what is undefined is not there. */
const asJson = (value: object): unknown => JSON.parse(JSON.stringify(value));

/** The change, `ignored`, or the code that refuses it. */
export function outcomeOf(mapping: EventMapping, event: SourceEvent): unknown {
  try {
    return toJson(mapEvent(mapping, event, contracts));
  } catch (error) {
    if (error instanceof PlumblineError) return `${error.code} ${error.message}`;
    throw error;
  }
}

function toJson(mapped: Mapped): unknown {
  if (mapped.kind === 'ignored') return 'ignored';
  if (mapped.kind === 'change') return asJson(changeToJson(mapped.change, contracts));
  return asJson({ all: mapped.entity, ...mapped.change });
}

export const AT = Date.parse('2026-03-01T09:00:00Z');

const COMMON = { object: 'deals', eventId: 'e1', version: '7', changedAt: AT };

/** Some of a record's fields are told: those of `changed`, or all that are there. */
export const set = (values: object, more: Partial<RecordEvent & { kind: 'set' }> = {}): SourceEvent => ({
  ...COMMON,
  kind: 'set',
  id: null,
  values: { id: 'D1', ...values },
  changed: null,
  wholeAsOf: null,
  ...more,
});

export const about = (event: { readonly kind: string; readonly [name: string]: unknown }): SourceEvent =>
  ({ ...COMMON, id: null, values: { id: 'D1' }, ...event }) as SourceEvent;
