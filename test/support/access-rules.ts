import kafkajs, { type AclEntry, Kafka, logLevel } from 'kafkajs';

type Kind = 'topic' | 'group' | 'transactionalId' | 'cluster';

/** What a user may do with everything whose name begins so. */
export interface Right {
  readonly kind: Kind;
  readonly prefix: string;
  readonly operation: keyof typeof kafkajs.AclOperationTypes;
}

const KINDS = {
  topic: kafkajs.AclResourceTypes.TOPIC,
  group: kafkajs.AclResourceTypes.GROUP,
  transactionalId: kafkajs.AclResourceTypes.TRANSACTIONAL_ID,
  cluster: kafkajs.AclResourceTypes.CLUSTER,
};

/** @param broker where the test has all rights */
export async function allow(broker: string, user: string, rights: readonly Right[]): Promise<void> {
  await withAdmin(broker, (admin) => admin.createAcls({ acl: rights.map((right) => entryOf(user, right)) }));
}

export async function forbid(broker: string, user: string, rights: readonly Right[]): Promise<void> {
  const filters = rights.map((right) => entryOf(user, right));
  await withAdmin(broker, (admin) => admin.deleteAcls({ filters }));
}

const entryOf = (user: string, { kind, prefix, operation }: Right): AclEntry => ({
  resourceType: KINDS[kind],
  resourceName: kind === 'cluster' ? 'kafka-cluster' : prefix,
  resourcePatternType:
    kind === 'cluster' ? kafkajs.ResourcePatternTypes.LITERAL : kafkajs.ResourcePatternTypes.PREFIXED,
  principal: `User:${user}`,
  host: '*',
  operation: kafkajs.AclOperationTypes[operation],
  permissionType: kafkajs.AclPermissionTypes.ALLOW,
});

async function withAdmin(broker: string, work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}
