import { expect, test } from 'vitest';
import { readLogSettings, STAGES, takesOf } from '../../../src/cli/log-settings.ts';

const kafka = { log: 'kafka', brokers: 'localhost:9092' };

test('a process on Kafka runs the stages that it is told, else all', () => {
  expect(readLogSettings(kafka, {}).stages).toEqual([...STAGES]);
  expect(readLogSettings(kafka, { PLUMBLINE_STAGES: 'score' }).stages).toEqual(['score']);
  const settings = readLogSettings({ ...kafka, stages: 'ingest' }, { PLUMBLINE_STAGES: 'score' });
  expect(settings.stages).toEqual(['ingest']);
  expect(['ingest', 'score'].map((stage) => takesOf(settings)({ stage }))).toEqual([true, false]);
});

test('stages that are none are refused, and fewer than all on the embedded log', () => {
  const refused = (flags: object) => () => readLogSettings(flags, {});
  for (const stages of ['', 'scoring', 'ingest,', 'ingest,score,score'])
    expect(refused({ ...kafka, stages })).toThrow(expect.objectContaining({ code: 'PLB-CLI-SETTING' }));
  expect(refused({ stages: 'score' })).toThrow(/embedded log/);
  const all = STAGES.toReversed();
  expect(readLogSettings({ stages: all.join(',') }, {}).stages).toEqual(all);
});
