import type { LogRecord } from '../log/port.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { factOfJson } from './fact-body.ts';
import { jsonValue } from './json-value.ts';

/** @throws PlumblineError PLB-CONTROL-DECODE */
export const factFromJson = (record: LogRecord): ControlFact =>
  factOfJson(jsonValue(record, 'PLB-CONTROL-DECODE'), record);
