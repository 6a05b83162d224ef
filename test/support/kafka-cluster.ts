/** A cluster for tests, wherever it was found. */
export interface TestCluster {
  readonly brokers: readonly string[];
  /** null where none was asked for. */
  readonly registryUrl: string | null;
  stop(): Promise<void>;
}

/** Ports that were free a moment ago can be another test's by the time that a broker takes them. */
const START_ATTEMPTS = 3;

export async function repeatedly<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
}
