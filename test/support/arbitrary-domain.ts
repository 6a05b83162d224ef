import fc from 'fast-check';
import type { Contracts } from '../../schemas/contracts.ts';
import type { Change } from '../../src/ingest/change.ts';
import type { ImageRecord } from '../../src/ingest/image.ts';
import {
  type Contract,
  type EntityKind,
  encodeFields,
  type Fields,
  type FieldType,
  formatInstant,
  type RecordType,
  type Value,
} from '../../src/language/contract.ts';
import type { Cause, OutcomeLine, PostureChange, Result } from '../../src/scoring/result.ts';
import type { KnownFact } from '../../src/wire/wire.ts';

/** Domain values as the steps make them. */

const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 60, maxLength: 400 }) },
);
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const instantMs = fc.integer({ min: FIRST_MS, max: LAST_MS });
const instant = instantMs.map(formatInstant);
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const version = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }).map(String);
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const nullOr = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

/** As fc.record, but always a plain object: what the steps make. */
const record = ((model: { [name: string]: fc.Arbitrary<unknown> }, constraints: object = {}) =>
  fc.record(model, { ...constraints, noNullPrototype: true })) as typeof fc.record;

function anyValue(type: FieldType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'string':
      return text;
    case 'double':
      return double;
    case 'int':
      return fc.maxSafeInteger().map((value) => value + 0);
    case 'bool':
      return fc.boolean();
    case 'date':
      return fc.integer({ min: FIRST_DAY, max: LAST_DAY });
    case 'instant':
      return instantMs;
    case 'enum':
      return fc.constantFrom(...type.symbols);
    case 'record':
      return recordOf(type);
    case 'list':
      return fc.array(anyValue(type.items), { maxLength: Math.min(4, type.maxItems) });
  }
}

const recordOf = (type: RecordType): fc.Arbitrary<Value> =>
  record(
    Object.fromEntries(
      [...type.fields.values()].map((field) => [
        field.name,
        field.nullable ? nullOr(anyValue(field.type)) : anyValue(field.type),
      ]),
    ),
  );

const own = (contract: Contract) =>
  [...contract.fields.values()].filter((field) => field.name !== 'id' && field.name !== 'account_id');

/** Some of the fields, each with a value. */
export const someFields = (contract: Contract): fc.Arbitrary<Fields> =>
  record(Object.fromEntries(own(contract).map((field) => [field.name, anyValue(field.type)])), {
    requiredKeys: [],
  }) as fc.Arbitrary<Fields>;

const entityKind = fc.constantFrom<EntityKind>('deal', 'account');

export const changes = (contracts: Contracts): fc.Arbitrary<Change> =>
  entityKind.chain((entity) => {
    const contract = contracts[entity];
    const clearable = own(contract)
      .map((field) => field.name)
      .filter((field) => !contract.required.includes(field));
    const base = record(
      { eventId: name, id: name, version, changedAt: instantMs, accountId: nullOr(name) },
      { requiredKeys: ['eventId', 'id', 'version', 'changedAt'] },
    ).map(({ accountId, ...rest }) => ({
      ...rest,
      entity,
      ...(entity === 'account' || accountId === undefined ? {} : { accountId }),
    }));
    const upsert = record(
      { fields: someFields(contract), cleared: fc.subarray(clearable), wholeAsOf: version },
      { requiredKeys: ['fields', 'cleared'] },
    ).map(({ fields, cleared, ...whole }) => ({
      op: 'upsert' as const,
      fields,
      cleared: cleared.filter((field) => !Object.hasOwn(fields, field)).sort(),
      ...whole,
    }));
    const merged = record({ mergedInto: name }, { requiredKeys: [] });
    const remove = (entity === 'account' ? merged : fc.constant({})).map((into) => ({
      op: 'delete' as const,
      ...into,
    }));
    const link = fc.oneof(
      record({ accountId: name, isPrimary: fc.boolean() }).map((rest) => ({ op: 'link' as const, ...rest })),
      record({ accountId: name }).map((rest) => ({ op: 'unlink' as const, ...rest, isPrimary: false })),
    );
    const gap = fc.constant({ op: 'gap' as const });
    const waive = record({
      set: name,
      constraint: name,
      by: name,
      role: name,
      times: fc.uniqueArray(instantMs, { minLength: 2, maxLength: 2 }),
    }).map(({ times, ...terms }) => ({
      op: 'waive' as const,
      waiver: { ...terms, grantedAt: Math.min(...times), until: Math.max(...times) },
    }));
    const revoke = record({ set: name, constraint: name }).map((waiver) => ({ op: 'revoke' as const, waiver }));
    const what = fc.oneof(upsert, waive, revoke, remove, gap, ...(entity === 'deal' ? [link] : []));
    return fc.tuple(base, what).map(([b, w]) => ({ ...b, ...w }) as Change);
  });

const origin = record({ topic: name, partition: fc.nat(), offset: count, previous: nullOr(count) });

export const images = (contracts: Contracts): fc.Arbitrary<ImageRecord> =>
  entityKind.chain((entity) => {
    const base = record(
      {
        id: name,
        accountId: nullOr(name),
        version,
        imageSeq: count,
        at: instantMs,
        lane: name,
        eventId: name,
        origin,
        merged: record({ into: name, version }),
      },
      { requiredKeys: ['id', 'accountId', 'version', 'imageSeq', 'at', 'lane', 'eventId', 'origin'] },
    );
    const waiver = record({
      set: name,
      constraint: name,
      by: name,
      role: name,
      grantedAt: instantMs,
      until: instantMs,
      value: text,
    });
    const whole = record(
      {
        fields: someFields(contracts[entity]),
        changed: fc.array(name, { maxLength: 4 }),
        waivers: fc.array(waiver, { maxLength: 3 }),
        lacking: fc.array(name, { maxLength: 2 }),
        dirty: fc.constant(true),
      },
      { requiredKeys: ['fields', 'changed', 'waivers', 'lacking'] },
    );
    const kind = fc.oneof(
      whole.map((rest) => ({ kind: 'image' as const, ...rest })),
      fc.constantFrom({ kind: 'detached' as const }, { kind: 'deleted' as const }),
    );
    const closed = record({ lane: name, origin }).map((rest) => ({ kind: 'lane_closed' as const, ...rest }));
    return fc.oneof(
      { weight: 9, arbitrary: fc.tuple(base, kind).map(([b, k]) => ({ ...b, entity, ...k }) as ImageRecord) },
      { weight: 1, arbitrary: closed },
    );
  });

const posture = fc.constantFrom('healthy', 'watch', 'at_risk', 'critical');
const outcome = fc.constantFrom('satisfied', 'violated', 'waived', 'unknown', 'not_applicable');
const cause: fc.Arbitrary<Cause> = fc.oneof(
  record({ event_id: name, kind: fc.constantFrom('change' as const, 'account_change' as const) }),
  record({ at: instant, kind: fc.constant('due' as const) }),
  record({
    id: name,
    kind: fc.constantFrom('sweep' as const, 'rollback' as const, 'retired' as const, 'redrive' as const),
  }),
);
/** Messages are cut and put together: half a surrogate pair can come out. */
const message = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', '"', '\\', '\ud83d', '\ude00', '\n'),
  maxLength: 12,
});
const share = fc.integer({ min: 0, max: 10_000 }).map((value) => value / 10_000);

/** Members in the order in which a result is hashed. */
const sorted = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T;

const line = fc
  .record(
    { constraint: name, outcome, degree: share, message, missing: fc.array(name, { maxLength: 3 }) },
    { requiredKeys: ['constraint', 'outcome'] },
  )
  .map((value) => sorted(value) as OutcomeLine);

const evidenceOf = (contracts: Contracts, entity: EntityKind) => {
  const read = (kind: EntityKind) =>
    fc
      .tuple(someFields(contracts[kind]), fc.subarray(own(contracts[kind]).map((field) => field.name)))
      .map(([fields, nulls]) => {
        const json = encodeFields(contracts[kind], fields);
        return sorted({ ...Object.fromEntries(nulls.map((field) => [field, null])), ...json });
      });
  const waiver = record({
    by: name,
    constraint: name,
    granted_at: instant,
    role: name,
    until: instant,
    value: text,
  }).map(sorted);
  const identifier = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
  const rest = {
    params: fc.dictionary(identifier, fc.oneof(double, text, fc.boolean()), { maxKeys: 4 }).map(sorted),
    waivers: fc.array(waiver, { maxLength: 2 }),
  };
  return entity === 'deal'
    ? fc.record({ account: nullOr(read('account')), deal: read('deal'), ...rest }).map(sorted)
    : record({ account: read('account'), ...rest }).map(sorted);
};

/** Results as they are hashed, with their hash. */
export const results = (contracts: Contracts): fc.Arbitrary<Result> =>
  entityKind.chain((entity) =>
    record(
      {
        account_id: nullOr(name),
        band: posture,
        cause,
        coverage: share,
        evidence: evidenceOf(contracts, entity),
        fallback_from: record({ code: name, message, set_version: hash }),
        id: name,
        image_seq: count,
        now: instant,
        outcomes: fc.array(line, { maxLength: 5 }),
        posture,
        previous_band: nullOr(posture),
        previous_posture: nullOr(posture),
        score: fc.integer({ min: 0, max: 10_000 }).map((value) => value / 100),
        set: name,
        set_version: hash,
        version,
        digest: hash,
      },
      {
        requiredKeys: [
          'account_id',
          'band',
          'cause',
          'coverage',
          'evidence',
          'id',
          'image_seq',
          'now',
          'outcomes',
          'posture',
          'previous_band',
          'previous_posture',
          'score',
          'set',
          'set_version',
          'version',
          'digest',
        ],
      },
    ).map(({ digest, ...rest }) => ({ ...sorted({ ...rest, entity }), hash: `sha256:${digest}` }) as Result),
  );

const moved = record(
  { constraint: name, from: nullOr(outcome), to: nullOr(outcome), message: text, fix: text },
  { requiredKeys: ['constraint', 'from', 'to'] },
);

export const postureChanges: fc.Arbitrary<PostureChange> = record({
  entity: entityKind,
  id: name,
  account_id: nullOr(name),
  name: nullOr(text),
  owner: nullOr(text),
  segment: nullOr(text),
  amount: nullOr(double),
  url: nullOr(text),
  image_seq: count,
  set: name,
  set_version: hash,
  cause,
  now: instant,
  from: nullOr(posture),
  to: nullOr(posture),
  moved: fc.array(moved, { maxLength: 4 }),
  result: nullOr(hash),
}) as fc.Arbitrary<PostureChange>;

const seal = record({ seen: count, prev: hash });
const optional = { request: name, reason: text, seal };

/** What a fact of a kind has, beside what any may have. */
const fact = (model: { [member: string]: fc.Arbitrary<unknown> }) => {
  const whole = { set: name, at: instantMs, by: name, ...model };
  const requiredKeys = Object.keys(whole) as (keyof typeof whole)[];
  return record({ ...whole, ...optional }, { requiredKeys }) as unknown as fc.Arbitrary<KnownFact>;
};
const kind = (...kinds: readonly KnownFact['kind'][]) => fc.constantFrom(...kinds);
const move = record({
  from: nullOr(posture),
  to: nullOr(posture),
  atMost: fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0),
  of: fc.constantFrom('count', 'share'),
});

export const facts: fc.Arbitrary<KnownFact> = fc.oneof(
  fact({ kind: kind('activated', 'rolled_back', 'shadowed', 'paused', 'resumed', 'aborted'), version: hash }),
  fact({ kind: kind('retired', 'stopped') }),
  fact({ kind: kind('redrive'), id: name, entity: entityKind, entityId: name, set: nullOr(name) }),
  fact({ kind: kind('proposed'), version: hash, baseline: nullOr(hash), moves: fc.array(move, { maxLength: 3 }) }),
  fact({
    kind: kind('validated'),
    version: hash,
    evidence: hash,
    verdict: fc.constantFrom('pass', 'fail', 'inconclusive'),
  }),
  fact({
    kind: kind('approved'),
    version: hash,
    baseline: nullOr(hash),
    evidence: hash,
    role: name,
    key: name,
    expiresAt: instantMs,
  }),
  fact({ kind: kind('canaried'), version: hash, step: fc.nat(), share: share }),
  fact({
    kind: kind('canaried'),
    version: hash,
    step: fc.nat(),
    share: share,
    pinned: fc.array(name),
    excluded: fc.array(name),
  }),
  fact({ kind: kind('frozen', 'unfrozen'), set: nullOr(name) }),
);
