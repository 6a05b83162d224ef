import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { PlumblineError } from '../../errors.ts';
import type { TopicLayout } from '../topics.ts';
import { type KafkaSettings, makeClient } from './client.ts';
import { within } from './deadline.ts';
import { asPortError, inStep, isDenied } from './failure.ts';

const TIMEOUT_MS = 30_000;
/** How long new partitions may take until their leaders serve them; part of the above. */
const SERVED_ATTEMPTS = 100;
const PAUSE_MS = 100;

async function withAdmin<T>(settings: KafkaSettings, doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = makeClient(settings, (kafka) => kafka.admin({ retry: { retries: 5 } }));
  try {
    await within(TIMEOUT_MS, 'connecting', admin.connect());
    return await within(TIMEOUT_MS, doing, work(admin));
  } catch (error) {
    throw asPortError(error, { doing });
  } finally {
    await admin.disconnect();
  }
}

/** Those that are not there. @throws PlumblineError PLB-LOG-DENIED for those that this user may not see */
async function absent(admin: Admin, names: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set(await admin.listTopics());
  const missing = names.filter((name) => !known.has(name));
  const hidden: string[] = [];
  let refusal: unknown;
  // The list leaves out what may not be seen; whoever asks for it by name is refused.
  for (const name of missing)
    try {
      await admin.fetchTopicMetadata({ topics: [name] });
    } catch (error) {
      if (!isDenied(error)) continue;
      hidden.push(name);
      refusal = error;
    }
  if (hidden.length > 0) throw asPortError(refusal, { doing: `a look at ${listed(hidden)}` });
  return new Set(missing);
}

const MAX_LISTED = 5;

function listed(names: readonly string[]): string {
  const first = names.slice(0, MAX_LISTED).map((name) => `\`${name}\``);
  return `${first.join(', ')}${names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : ''}`;
}

/** Makes the topics that are not there; those that are stay as they are. @returns names of the new ones */
export const createTopics = (settings: KafkaSettings, layouts: readonly TopicLayout[]): Promise<readonly string[]> =>
  withAdmin(settings, 'creating topics', async (admin) => {
    // One that may be made need not be one that may be seen.
    const known = new Set(await admin.listTopics());
    const missing = layouts.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return [];
    const making = admin.createTopics({
      waitForLeaders: true,
      timeout: TIMEOUT_MS,
      topics: missing.map(({ name, partitions, replication, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    });
    const names = missing.map(({ name }) => name);
    await inStep(listed(names), making);
    await untilServed(admin, names);
    return names;
  });

/** A leader that is elected can be a moment away from serving: without the wait the next command would meet that. */
async function untilServed(admin: Admin, names: readonly string[]): Promise<void> {
  for (let attempt = 1, left = names; left.length > 0; attempt++)
    try {
      await admin.fetchTopicOffsets(left[0] ?? '');
      left = left.slice(1);
    } catch (error) {
      const failure = asPortError(error, { doing: `waiting until ${left[0]} is served` });
      if (attempt >= SERVED_ATTEMPTS || !(failure instanceof PlumblineError && failure.retryable)) throw failure;
      await sleep(PAUSE_MS);
    }
}

async function describeTopics(admin: Admin, topics: readonly string[]) {
  const asking = admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return (await inStep(`the settings of ${listed(topics)}`, asking)).resources;
}

export interface Retention {
  readonly topic: string;
  /** How long a record can stay that nobody wants any more; null: for ever. */
  readonly longestMs: number | null;
}

/**
 * How long what was written stays, as the cluster's own settings have it: in a compacted topic what has a newer record
 * of its key, elsewhere everything. A segment goes as a whole, once its last record may go.
 */
export const retentionsOf = (settings: KafkaSettings, topics: readonly string[]): Promise<readonly Retention[]> =>
  withAdmin(settings, 'asking for retentions', async (admin) => {
    const resources = await describeTopics(admin, topics);
    return topics.map((topic) => {
      const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
      const config = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
      const isCompacted = config.get('cleanup.policy') === 'compact';
      const keptMs = Number(config.get(isCompacted ? 'max.compaction.lag.ms' : 'retention.ms') ?? -1);
      const segmentMs = isCompacted ? 0 : Number(config.get('segment.ms') ?? 0);
      return { topic, longestMs: keptMs >= 0 && keptMs + segmentMs < FOR_EVER_MS ? keptMs + segmentMs : null };
    });
  });

/** Kafka's own "no limit" of a compaction lag is the largest long. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

/** How many partitions others' topics have. @throws PlumblineError PLB-LOG-LAYOUT where one is not there */
export const partitionCounts = (
  settings: KafkaSettings,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> =>
  withAdmin(settings, 'asking for partitions', async (admin) => {
    const [missing] = await absent(admin, topics);
    if (missing !== undefined)
      throw new PlumblineError('PLB-LOG-LAYOUT', `the cluster has no topic \`${missing}\` for a connector to read`, {
        where: { topic: missing },
        hint: 'it is made by what writes to it, such as Debezium: check the name, or leave it out for a topic of our own',
      });
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
    return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
  });

export interface LayoutProblem {
  readonly topic: string;
  readonly message: string;
  /** Whether records could be lost or put where nobody looks for them. */
  readonly isFatal: boolean;
}

/** How the cluster's topics differ from what they must be. */
export const layoutProblems = (
  settings: KafkaSettings,
  layouts: readonly TopicLayout[],
): Promise<readonly LayoutProblem[]> =>
  withAdmin(settings, 'comparing topics', async (admin) => {
    const gone = await absent(
      admin,
      layouts.map(({ name }) => name),
    );
    const there = layouts.filter(({ name }) => !gone.has(name));
    const missing = [...gone].map((name) => ({
      topic: name,
      message: `the cluster has no topic \`${name}\``,
      isFatal: true,
    }));
    if (there.length === 0) return missing;
    const { topics } = await admin.fetchTopicMetadata({ topics: there.map(({ name }) => name) });
    const resources = await describeTopics(
      admin,
      there.map(({ name }) => name),
    );
    return [
      ...missing,
      ...there.flatMap((layout) => {
        const partitions = topics.find(({ name }) => name === layout.name)?.partitions ?? [];
        const entries = resources.find(({ resourceName }) => resourceName === layout.name)?.configEntries ?? [];
        const config = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
        return [...shapeProblems(layout, partitions), ...configProblems(layout, config)];
      }),
    ];
  });

function shapeProblems(layout: TopicLayout, partitions: readonly { readonly replicas: readonly number[] }[]) {
  const problems: LayoutProblem[] = [];
  const tell = (message: string, isFatal: boolean) => problems.push({ topic: layout.name, message, isFatal });
  // Another number sends keys elsewhere, and tasks to partitions that nobody has.
  if (partitions.length !== layout.partitions)
    tell(`\`${layout.name}\` has ${partitions.length} partitions, expected ${layout.partitions}`, true);
  const least = Math.min(...partitions.map(({ replicas }) => replicas.length));
  if (least < layout.replication)
    tell(`\`${layout.name}\` has ${least} replicas, expected ${layout.replication}`, false);
  return problems;
}

/** Without them records go missing: a state that is deleted by age, a history that is compacted. */
const FATAL_CONFIG = new Set(['cleanup.policy', 'message.timestamp.type']);

function configProblems(layout: TopicLayout, config: ReadonlyMap<string, string>): readonly LayoutProblem[] {
  return Object.entries(layout.config).flatMap(([name, expected]) => {
    const actual = config.get(name);
    if (actual === expected) return [];
    const message = `\`${name}\` of \`${layout.name}\` is ${actual ?? 'not set'}, expected ${expected}`;
    return [{ topic: layout.name, message, isFatal: FATAL_CONFIG.has(name) }];
  });
}
