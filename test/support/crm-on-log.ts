import { decodeImage } from '../../consumers/images.ts';
import { changeRecord } from '../../producers/changes.ts';
import { CRM_TELLERS, type Crm } from '../../src/book/crm/crm-records.ts';
import { type BookOptions, generateHistory } from '../../src/book/generate-book.ts';
import type { Change } from '../../src/ingest/change.ts';
import { encodeChange } from '../../src/ingest/encode-change.ts';
import type { ImageRecord } from '../../src/ingest/image.ts';
import { encodeFields } from '../../src/language/contract.ts';
import type { Log, NewRecord } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import type { Connector } from '../../src/runtime/connect-stage.ts';
import { currentPostures } from '../../src/runtime/posture-board.ts';
import { bookMapping, CRMS, comparable, DECODERS } from './crm-pipeline.ts';
import { recordsOf } from './rescore.ts';
import { contracts } from './test-worker.ts';

/** The same history on one log, told by each CRM and as canonical changes, each with a prefix of its own before its ids. */
export const TELLERS = [...CRMS, 'canonical'] as const;
export type Teller = (typeof TELLERS)[number];

export const SOURCES = CRMS.map((crm) => `crm.${crm}-events`);

const topicOf = (topics: Topics, crm: Crm): string => topics.sources[CRMS.indexOf(crm)] ?? '';

/** @param edit changes a mapping */
export const connectorsOn = (topics: Topics, edit: (text: string) => string = (text) => text): readonly Connector[] =>
  CRMS.map((crm) => ({
    topic: topicOf(topics, crm),
    mapping: bookMapping(crm, (text) => edit(text.replace('\nobjects:', `\nid_prefix: ${crm}-\nobjects:`))),
    decode: DECODERS[crm],
  }));

export const crmRecord = (topics: Topics, crm: Crm, value: unknown, key: unknown = null): NewRecord => ({
  topic: topicOf(topics, crm),
  key: key === null ? null : JSON.stringify(key),
  value: value === null ? null : Buffer.from(JSON.stringify(value)),
  headers: {},
});

/** By teller. Streams that keep an order have it on one partition; webhooks are spread. */
export function toldBy(
  topics: Topics,
  book: BookOptions,
  atMs: number,
): { readonly [T in Teller]: readonly NewRecord[] } {
  const history = [...generateHistory(book)];
  const records = (crm: Crm): readonly NewRecord[] =>
    [...CRM_TELLERS[crm](book.seed, history, contracts)].map(({ key, value }, index) => ({
      ...crmRecord(topics, crm, value, key),
      ...(crm === 'salesforce' ? { partition: 0 } : key === null ? { partition: index % 2 } : {}),
    }));
  const canonical = comparable(history).map((change) => {
    const prefixed = withPrefix(change, 'canonical-');
    return changeRecord(topics, prefixed, encodeChange(prefixed, contracts), { kind: 'live', atMs });
  });
  const told = Object.fromEntries(CRMS.map((crm) => [crm, records(crm)])) as { [C in Crm]: readonly NewRecord[] };
  return { ...told, canonical };
}

const withPrefix = (change: Change, prefix: string): Change => ({
  ...change,
  id: prefix + change.id,
  ...(typeof change.accountId === 'string' ? { accountId: prefix + change.accountId } : {}),
});

/** What is there in the end, by an entity and its id: fields in JSON's form, the account, and whether it is dirty. */
export async function imagesOn(log: Log, topics: Topics): Promise<ReadonlyMap<string, object>> {
  const newest = new Map<string, Exclude<ImageRecord, { kind: 'lane_closed' }>>();
  for (const record of (await recordsOf(log, topics.images)).flat()) {
    const image = decodeImage(record);
    if (image.kind === 'lane_closed') continue;
    const key = `${image.entity} ${image.id}`;
    if ((newest.get(key)?.imageSeq ?? 0) <= image.imageSeq) newest.set(key, image);
  }
  const there = [...newest].flatMap(([key, image]): [string, object][] =>
    image.kind === 'image'
      ? [
          [
            key,
            {
              fields: encodeFields(contracts[image.entity], image.fields),
              account_id: image.entity === 'deal' ? image.accountId : null,
              dirty: image.dirty ?? false,
            },
          ],
        ]
      : [],
  );
  return new Map(there.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Present postures by `entity id set`. */
export async function posturesOn(log: Log, topics: Topics): Promise<ReadonlyMap<string, unknown>> {
  const { current } = await currentPostures(log, topics);
  return new Map([...current.values()].map(({ entity, id, set, to }) => [`${entity} ${id} ${set}`, to]));
}

/** Those of one teller, without its prefix. */
export const ownOf = <T>(all: ReadonlyMap<string, T>, teller: Teller): unknown => {
  const own = [...all].filter(([key]) => key.split(' ')[1]?.startsWith(`${teller}-`));
  return JSON.parse(JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1))).replaceAll(`${teller}-`, ''));
};
