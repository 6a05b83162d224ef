import { expect, it } from 'vitest';
import { makeWriters } from '../../../schemas/writers.ts';
import { PlumblineError } from '../../../src/errors.ts';
import { raw } from '../../support/avro-wires.ts';

const values = (...ids: readonly number[]) => ids.map((id) => raw(id, 0));

it('a schema is fetched once, however many ask at the same time; own ones never', async () => {
  const asked: number[] = [];
  const writers = makeWriters(
    async (id) => {
      asked.push(id);
      return '"int"';
    },
    new Map([[1, 'string']]),
  );
  await Promise.all([writers.prepare(values(1, 2, 2, 3)), writers.prepare(values(3, 2))]);
  await writers.prepare(values(2, 3));
  expect(asked.sort()).toEqual([2, 3]);
  expect(writers.find(2).type.typeName).toBe('int');
  expect(writers.find(1).type.typeName).toBe('string');
});

it('an unknown id is asked for again', async () => {
  let answer: string | null = null;
  const writers = makeWriters(async () => answer, new Map());
  await writers.prepare(values(2));
  expect(() => writers.find(2)).toThrow(expect.objectContaining({ code: 'PLB-WIRE-SCHEMA-UNKNOWN' }));
  answer = '"int"';
  await writers.prepare(values(2));
  expect(writers.find(2).id).toBe(2);
});

it('a registry that fails fails the preparation, and the next one asks again', async () => {
  let fails = true;
  const writers = makeWriters(async () => {
    if (fails) throw new PlumblineError('PLB-REGISTRY-UNAVAILABLE', 'down', { retryable: true });
    return '"int"';
  }, new Map());
  await expect(writers.prepare(values(2))).rejects.toMatchObject({ retryable: true });
  fails = false;
  await writers.prepare(values(2));
  expect(writers.find(2).id).toBe(2);
});

it('keeps a bounded number of schemas, and asks for few at a time', async () => {
  let running = 0;
  let most = 0;
  const writers = makeWriters(async () => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return '"int"';
  }, new Map());
  await writers.prepare(values(...Array.from({ length: 1_500 }, (_, id) => id)));
  expect(most).toBeLessThanOrEqual(4);
  expect(() => writers.find(0)).toThrow(expect.objectContaining({ code: 'PLB-WIRE-UNPREPARED' }));
  expect(writers.find(1_499).id).toBe(1_499);
});
