import { decodeFact } from '../../consumers/control.ts';
import { decodeSet, type SetDocument } from '../../consumers/sets.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { CHAIN_START, chainAfter } from '../rollout/chain.ts';
import { activeOf, type ControlState, NO_FACTS, reduce, type SetState, targetOf } from '../rollout/control-state.ts';
import type { ActiveSet, ControlView } from '../scoring/active-set.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';

/** Facts kept in memory: years of rollouts. More is an error that says so. */
const MAX_FACTS = 100_000;
/** Documents and compiled versions kept in memory. */
const MAX_VERSIONS = 10_000;
/** Views kept ready; tasks nearly always ask for the last. */
const MAX_VIEWS = 16;
const LIMITS = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/** Follows the control log: the facts so far, and what they say as of each. */
export interface ControlFollower {
  /** Facts read so far, with the documents that they name. */
  readonly offset: number;
  /** Reads both topics to their present end. */
  refresh(): Promise<void>;
  fact(offset: number): ControlFact;
  /** What the first facts say, and their hash (see chainAfter). @throws PLB-CONTROL-BEHIND (retryable) */
  stateAt(offset: number): ControlState;
  chainAt(offset: number): string;
  /** Reads the documents of sets to their present end: also those that no fact names yet. */
  refreshDocuments(): Promise<void>;
  /** Whether a document of this version is on the log, compiles, and is of this set. */
  isKnown(set: string, version: string): boolean;
  /** @throws PLB-SET-MISSING, PLB-SET-CONTRACT */
  compiled(version: string): CompiledSet;
  /** Versions on the log that begin with these digits. */
  versionsLike(digits: string): readonly string[];
  /** The active version of each set, by name, as of the last fact read. Compiles nothing. */
  active(): ReadonlyMap<string, string>;
  /** The same object for the same offset, while it is kept. @throws PLB-CONTROL-BEHIND (retryable), PLB-SET-MISSING */
  viewAt(offset: number): ControlView;
}

/** Reads plumbline.control and plumbline.sets to their end: nothing is processed before. */
export async function followControl(
  log: Log,
  topics: Topics,
  compile: (document: SetDocument) => CompiledSet,
  wire: Wire = jsonWire,
): Promise<ControlFollower> {
  const facts: ControlFact[] = [];
  const states: ControlState[] = [NO_FACTS];
  const chain: string[] = [CHAIN_START];
  const documents = new Map<string, SetDocument>();
  const compiled = new Map<string, CompiledSet>();
  const views = new Map<number, ControlView>();
  let nextFact = 0;
  let nextSet = 0;
  /** Facts whose documents are read too: nobody is told of others. */
  let documented = 0;

  async function readFacts(): Promise<number> {
    const records = await log.read(topics.control, 0, nextFact, LIMITS);
    await wire.prepare(records.map(({ value }) => value));
    // All are decoded before any is taken: one that can't be is an error each time, and never half taken.
    const decoded = records.map((record) => decodeFact(record, wire));
    for (const [index, fact] of decoded.entries()) {
      if (facts.length >= MAX_FACTS)
        throw new PlumblineError('PLB-CONTROL-LIMIT', `the control log has more than ${MAX_FACTS} facts`);
      facts.push(fact);
      states.push(reduce(states[states.length - 1] ?? NO_FACTS, fact));
      chain.push(chainAfter(chain[chain.length - 1] ?? CHAIN_START, records[index]?.value ?? null));
    }
    nextFact = (records[records.length - 1]?.offset ?? nextFact - 1) + 1;
    return records.length;
  }

  async function readSets(): Promise<number> {
    const records = await log.read(topics.sets, 0, nextSet, LIMITS);
    await wire.prepare(records.map(({ value }) => value));
    for (const record of records) {
      if (record.value === null) continue;
      const document = decodeSet(record, wire);
      if (documents.size >= MAX_VERSIONS && !documents.has(document.version))
        throw new PlumblineError('PLB-CONTROL-LIMIT', `more than ${MAX_VERSIONS} versions of sets are on the log`);
      documents.set(document.version, document);
    }
    nextSet = (records[records.length - 1]?.offset ?? nextSet - 1) + 1;
    return records.length;
  }

  function setOf(version: string): CompiledSet {
    const known = compiled.get(version);
    if (known !== undefined) return known;
    const document = documents.get(version);
    if (document === undefined)
      throw new PlumblineError(
        'PLB-SET-MISSING',
        `version ${version.slice(0, 12)} is active but its document is not on the log`,
      );
    const set = compile(document);
    compiled.set(version, set);
    return set;
  }

  /** A fallback that can't be compiled any more is none; an active version that can't be is an error. */
  function fallbackOf(version: string | null): CompiledSet | null {
    if (version === null) return null;
    try {
      return setOf(version);
    } catch (error) {
      if (error instanceof PlumblineError) return null;
      throw error;
    }
  }

  /** A version that can't be compiled is not asked. */
  function candidateOf({ rollout }: SetState): Pick<ActiveSet, 'candidate'> {
    if (rollout === null || rollout.phase === 'proposed') return {};
    const set = fallbackOf(rollout.version);
    if (set === null) return {};
    const { share, pinned, excluded, shadow } = rollout;
    return { candidate: { set, since: shadow, share, pinned: new Set(pinned), excluded: new Set(excluded) } };
  }

  function viewOf(offset: number, state: ControlState): ControlView {
    const sets: { deal: ActiveSet[]; account: ActiveSet[] } = { deal: [], account: [] };
    for (const [, set] of [...state.sets].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const version = runningOf(set);
      if (version === null) continue;
      const active = setOf(version);
      sets[active.entity].push({ active, fallback: fallbackOf(targetOf(set)), ...candidateOf(set) });
    }
    return { offset, sets };
  }

  async function readOn(): Promise<void> {
    while ((await readFacts()) > 0);
    const until = facts.length;
    if (until === documented) return;
    // A document is written before the fact that names it: reading it after finds it.
    while ((await readSets()) > 0);
    documented = until;
  }

  let reading: Promise<void> | null = null;
  const follower: ControlFollower = {
    get offset() {
      return documented;
    },
    refresh() {
      // All tasks share this reader: two that read at once would take each fact twice.
      reading ??= readOn().finally(() => {
        reading = null;
      });
      return reading;
    },
    fact(offset) {
      const fact = facts[offset];
      if (fact === undefined || offset >= documented) throw behind(documented, offset);
      return fact;
    },
    stateAt(offset) {
      const state = states[offset];
      if (state === undefined || offset > documented) throw behind(documented, offset);
      return state;
    },
    chainAt(offset) {
      const hash = chain[offset];
      if (hash === undefined || offset > documented) throw behind(documented, offset);
      return hash;
    },
    async refreshDocuments() {
      await reading;
      while ((await readSets()) > 0);
    },
    compiled: setOf,
    versionsLike: (digits) => [...documents.keys()].filter((version) => version.startsWith(digits)),
    isKnown: (name, version) => {
      try {
        return setOf(version).name === name;
      } catch (error) {
        if (error instanceof PlumblineError) return false;
        throw error;
      }
    },
    active: () =>
      new Map(
        [...(states[documented] ?? NO_FACTS).sets].flatMap(([name, set]) => {
          const version = activeOf(set);
          return version === null ? [] : [[name, version] as const];
        }),
      ),
    viewAt(offset) {
      const known = views.get(offset);
      if (known !== undefined) return known;
      const view = viewOf(offset, follower.stateAt(offset));
      for (const old of views.keys()) if (views.size >= MAX_VIEWS) views.delete(old);
      views.set(offset, view);
      return view;
    },
  };
  await follower.refresh();
  return follower;
}

const behind = (read: number, offset: number): PlumblineError =>
  new PlumblineError('PLB-CONTROL-BEHIND', `the control log was read up to ${read}, a task is at ${offset}`, {
    retryable: true,
  });

/** A stopped set is not scored at all. */
const runningOf = (set: SetState): string | null => (set.isStopped ? null : activeOf(set));
