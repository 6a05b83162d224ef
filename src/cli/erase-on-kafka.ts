import { PlumblineError } from '../errors.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Log } from '../log/port.ts';
import { stateTopicOf, type Topics } from '../log/topics.ts';
import { eraseFromState } from '../runtime/erase.ts';
import { lagOf, taskInputs, totalLag } from '../runtime/lag.ts';
import { audit } from './audit.ts';
import { kafkaSettingsOf } from './kafka-settings.ts';
import type { LogSettings } from './log-settings.ts';
import { openKafkaPlace } from './open-log.ts';
import { plural } from './plural.ts';

/**
 * Takes an entity out of the states on Kafka, by a commit of each task that holds it. What lies on the other topics
 * can't be changed there: it ages out.
 * @returns what to tell
 * @throws PlumblineError PLB-CLI-RUNNING while workers run, PLB-CLI-LAG while images wait to be scored
 */
export async function eraseOnKafka(
  settings: LogSettings,
  entity: EntityKind,
  id: string,
  isDry: boolean,
): Promise<string> {
  const { log, topics, wire } = await openKafkaPlace(settings);
  try {
    await holdStopped(log);
    const lags = await lagOf(log, topics);
    const unscored = totalLag(lags.filter(({ task }) => task.startsWith('score/')));
    if (unscored > 0)
      throw new PlumblineError('PLB-CLI-LAG', `${plural(unscored, 'image')} still to be scored`, {
        hint: 'one of them could bring back what is erased: `plumbline run --stages score` until `status` tells none, stop it, then erase',
      });
    const untaken = totalLag(lags.filter(({ task }) => !task.startsWith('control/')));
    const held = await eraseFromState(log, topics, entity, id, isDry);
    if (!isDry) await audit({ log, topics, wire }, 'erase', `one ${entity} was erased`);
    return [
      held.length === 0
        ? `no state knows ${entity} ${id}`
        : `${isDry ? 'would be removed' : 'removed'} from the state of: ${held.join(', ')}`,
      ...(untaken > 0 ? [`${plural(untaken, 'change')} still to be taken: one of ${entity} ${id} starts it anew`] : []),
      ...(await agesOut(settings, log, topics, entity)),
      '',
    ].join('\n');
  } finally {
    await log.close();
  }
}

async function holdStopped(log: Log): Promise<void> {
  const members = await log.members?.();
  if (members === undefined || members?.length === 0) return;
  const count =
    members === null ? 'workers are' : `${plural(members.length, 'worker')} ${members.length === 1 ? 'is' : 'are'}`;
  throw new PlumblineError('PLB-CLI-RUNNING', `${count} running on this cluster`, {
    hint: 'stop them first: they hold what is to be erased. One that was killed counts for six seconds more',
  });
}

const DAY_MS = 86_400_000;

async function agesOut(settings: LogSettings, log: Log, topics: Topics, entity: EntityKind): Promise<string[]> {
  const { retentionsOf } = await import('../log/kafka/topics.ts');
  const changes = entity === 'deal' ? topics.dealChanges : topics.accountChanges;
  const kept = [changes, topics.images, topics.results, topics.postures, topics.deadLetters];
  const states = [...new Set(taskInputs(log, topics).map((input) => stateTopicOf(topics, input)))];
  const retentions = await retentionsOf(kafkaSettingsOf(settings), [...kept, ...states]);
  const days = (ms: number | null): string => (ms === null ? 'never' : plural(Math.ceil(ms / DAY_MS), 'day'));
  return [
    'what is on the log ages out, at the latest after:',
    ...retentions.map(({ topic, longestMs }) => `  ${topic}: ${days(longestMs)}`),
  ];
}
