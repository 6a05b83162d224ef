import type { Health } from './health.ts';

/** Tells of a task whose state is restored how far that is: it is degraded until it is through. */
export const restoreTeller =
  (health: Health) =>
  (task: string, progress: { readonly done: number; readonly end: number } | null): void => {
    if (progress === null) health.recovered(task);
    else health.degraded(task, `restoring ${progress.done}/${progress.end}`);
  };
