import type { RecordKind } from '../../schemas/record-schemas.ts';
import type { Topics } from '../log/topics.ts';

export interface Subject {
  readonly kind: RecordKind;
  readonly topic: string;
  /** Confluent's TopicNameStrategy. */
  readonly subject: string;
}

/** What each topic's values are registered as. Keys are text, and dead letters what failed: neither has a schema. */
export function subjectsOf(topics: Topics): readonly Subject[] {
  const topicOf: { readonly [K in RecordKind]: string } = {
    'deal-change': topics.dealChanges,
    'account-change': topics.accountChanges,
    image: topics.images,
    'scored-result': topics.results,
    'posture-change': topics.postures,
    'control-fact': topics.control,
    'set-document': topics.sets,
    request: topics.requests,
    'audit-entry': topics.audit,
    rollback: topics.rollbacks,
    incident: topics.incidents,
    'follow-up': topics.followUps,
  };
  return Object.entries(topicOf).map(([kind, topic]) => ({
    kind: kind as RecordKind,
    topic,
    subject: `${topic}-value`,
  }));
}
