/** The topics of one installation. A prefix keeps several installations apart on one broker. */
export interface Topics {
  readonly dealChanges: string;
  readonly accountChanges: string;
  readonly images: string;
  readonly results: string;
  readonly postures: string;
  readonly deadLetters: string;
  readonly rollbacks: string;
  readonly incidents: string;
  readonly followUps: string;
  readonly requests: string;
  readonly audit: string;
  readonly control: string;
  readonly sets: string;
  /** With CRMs' own events: none unless a connector is set up. */
  readonly sources: readonly string[];
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
}

export const DEFAULT_DATA_PARTITIONS = 4;

/** @param sources names as they are: CRMs' topics needn't have our prefix */
export function topicNames(prefix = '', sources: readonly string[] = []): Topics {
  return {
    dealChanges: `${prefix}crm.deal-changes`,
    accountChanges: `${prefix}crm.account-changes`,
    images: `${prefix}plumbline.images`,
    results: `${prefix}plumbline.scored-results`,
    postures: `${prefix}plumbline.posture-changes`,
    deadLetters: `${prefix}plumbline.dead-letters`,
    rollbacks: `${prefix}plumbline.rollbacks`,
    incidents: `${prefix}plumbline.incidents`,
    followUps: `${prefix}plumbline.follow-ups`,
    requests: `${prefix}plumbline.requests`,
    audit: `${prefix}plumbline.audit`,
    control: `${prefix}plumbline.control`,
    sets: `${prefix}plumbline.sets`,
    sources,
  };
}

/**
 * Every topic with its number of partitions, which is fixed when a log is first created: keys would change partition
 * otherwise. What must be totally ordered (requests, facts, documents) has one.
 */
export function topicSpecs(topics: Topics, dataPartitions = DEFAULT_DATA_PARTITIONS): readonly TopicSpec[] {
  const data = [
    ...topics.sources,
    topics.dealChanges,
    topics.accountChanges,
    topics.images,
    topics.results,
    topics.postures,
    topics.deadLetters,
  ];
  const single = [
    topics.rollbacks,
    topics.incidents,
    topics.followUps,
    topics.requests,
    topics.audit,
    topics.control,
    topics.sets,
  ];
  return [
    ...data.map((name) => ({ name, partitions: dataPartitions })),
    ...single.map((name) => ({ name, partitions: 1 })),
  ];
}

/** What outlives its reading, and how; everything else is the cluster's own default. */
const DAY_MS = 86_400_000;
const FOR_EVER = '-1';
const days = (count: number): string => String(count * DAY_MS);

/** A topic as it must be on a cluster. */
export interface TopicLayout extends TopicSpec {
  readonly replication: number;
  readonly config: { readonly [name: string]: string };
}

export interface LayoutOptions {
  readonly partitions: number;
  readonly replication: number;
  /** Sources that are others' topics, with their partitions: they are taken as they are. */
  readonly foreign?: ReadonlyMap<string, number>;
}

/** The changelog of a task's state: one topic a stage and input, with the input's partitions. */
export function stateTopicOf(topics: Topics, input: { readonly stage: string; readonly topic: string }): string {
  const prefix = topics.control.slice(0, -'plumbline.control'.length);
  if (input.stage === 'connect') return `${prefix}plumbline.state-connect-${input.topic}`;
  if (input.stage !== 'ingest') return `${prefix}plumbline.state-${input.stage}`;
  return `${prefix}plumbline.state-ingest-${input.topic === topics.dealChanges ? 'deals' : 'accounts'}`;
}

/**
 * Every topic of an installation on Kafka. Timestamps are the broker's, so that retention doesn't eat imported history;
 * images are kept for 90 days, because validation replays them; facts are kept for ever.
 */
export function topicLayouts(
  topics: Topics,
  { partitions, replication, foreign = new Map() }: LayoutOptions,
): readonly TopicLayout[] {
  const retention: { readonly [name: string]: string } = {
    ...Object.fromEntries(topics.sources.map((name) => [name, days(7)])),
    [topics.dealChanges]: days(30),
    [topics.accountChanges]: days(30),
    [topics.images]: days(90),
    [topics.results]: days(90),
    [topics.postures]: days(90),
    [topics.deadLetters]: days(90),
    [topics.rollbacks]: FOR_EVER,
    [topics.incidents]: FOR_EVER,
    [topics.followUps]: FOR_EVER,
    // It tells which dead letters were redriven.
    [topics.requests]: days(90),
    [topics.audit]: FOR_EVER,
    [topics.control]: FOR_EVER,
  };
  const common = {
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': String(Math.max(1, replication - 1)),
    'max.message.bytes': String(MAX_BATCH_BYTES),
  };
  const layout = (spec: TopicSpec): TopicLayout => {
    const kept = retention[spec.name];
    const config: { readonly [name: string]: string } =
      kept === undefined
        ? { ...common, 'cleanup.policy': 'compact', 'max.compaction.lag.ms': days(1) }
        : { ...common, 'cleanup.policy': 'delete', 'retention.ms': kept };
    return { ...spec, replication, config };
  };
  const states = [
    { stage: 'ingest', topic: topics.dealChanges },
    { stage: 'ingest', topic: topics.accountChanges },
    { stage: 'score', topic: topics.images },
    { stage: 'control', topic: topics.requests },
    ...topics.sources.map((topic) => ({ stage: 'connect', topic })),
  ].map((input) => ({
    name: stateTopicOf(topics, input),
    partitions: input.topic === topics.requests ? 1 : (foreign.get(input.topic) ?? partitions),
  }));
  return [...topicSpecs(topics, partitions).filter(({ name }) => !foreign.has(name)), ...states].map(layout);
}

/** A batch of one partition in one commit; a record alone has at most 16 MiB. */
const MAX_BATCH_BYTES = 20 * 1024 * 1024;
