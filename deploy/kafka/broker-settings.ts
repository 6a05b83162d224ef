/** Small internal topics, quick rebalances: for development and tests, with the durability of a real cluster. */
export const brokerSettings = (replication: number) => ({
  'auto.create.topics.enable': false,
  'default.replication.factor': replication,
  'min.insync.replicas': Math.max(1, replication - 1),
  'offsets.topic.replication.factor': replication,
  'offsets.topic.num.partitions': 3,
  'transaction.state.log.replication.factor': replication,
  'transaction.state.log.min.isr': Math.max(1, replication - 1),
  'transaction.state.log.num.partitions': 3,
  'share.coordinator.state.topic.replication.factor': replication,
  'group.initial.rebalance.delay.ms': 0,
});
