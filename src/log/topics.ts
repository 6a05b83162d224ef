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
  readonly control: string;
  readonly sets: string;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
}

export const DEFAULT_DATA_PARTITIONS = 4;

export function topicNames(prefix = ''): Topics {
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
    control: `${prefix}plumbline.control`,
    sets: `${prefix}plumbline.sets`,
  };
}

/**
 * Every topic with its number of partitions, which is fixed when a log is first created: keys would change partition
 * otherwise. What must be totally ordered (requests, facts, documents) has one.
 */
export function topicSpecs(topics: Topics, dataPartitions = DEFAULT_DATA_PARTITIONS): readonly TopicSpec[] {
  const data = [
    topics.dealChanges,
    topics.accountChanges,
    topics.images,
    topics.results,
    topics.postures,
    topics.deadLetters,
  ];
  const single = [topics.rollbacks, topics.incidents, topics.followUps, topics.requests, topics.control, topics.sets];
  return [
    ...data.map((name) => ({ name, partitions: dataPartitions })),
    ...single.map((name) => ({ name, partitions: 1 })),
  ];
}
