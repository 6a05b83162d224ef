import { hash } from 'node:crypto';
import { isId, MAX_ID_LENGTH } from '../ingest/id.ts';

/** The text itself where it can be an id, else a digest of it: the same each time. */
export const eventIdOf = (text: string): string => (isId(text) ? text : digestOf(text.toWellFormed()));

/** As eventIdOf, of a text that is put together from ids: only its length can be wrong, so nothing else is looked at. */
export const boundedEventId = (text: string): string => (text.length <= MAX_ID_LENGTH ? text : digestOf(text));

const digestOf = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`;
