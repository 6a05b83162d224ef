import { isObject } from './event-text.ts';

/** Whether HubSpot has sent an event before: its attempts count from 0. */
export const isHubspotRetry = (event: unknown): boolean => isObject(event) && isAbove(event.attemptNumber, 0);

/** Whether Pipedrive has: v2 counts attempts from 1, v1 retries from 0. */
export const isPipedriveRetry = (event: unknown): boolean =>
  isObject(event) && (isAbove(event.retry, 0) || (isObject(event.meta) && isAbove(event.meta.attempt, 1)));

const isAbove = (value: unknown, first: number): boolean => typeof value === 'number' && value > first;
