import type { CompiledSet } from '../src/compiler/compile.ts';
import { makeVerdict, WAIVED } from '../src/scoring/judge.ts';
import { judgeSight } from './core.ts';
import type { Sight } from './corpus.ts';
import { bufbuildPeer } from './engines/bufbuild.ts';
import { jsonRulesPeer } from './engines/json-rules.ts';
import { marcbachmannPeer } from './engines/marcbachmann.ts';
import type { MakePeer, Peer } from './engines/peer.ts';
import { zenPeer } from './engines/zen.ts';
import { median, medianRatio, type Row, row } from './measure.ts';

type Sights = { readonly deal: readonly Sight[]; readonly account: readonly Sight[] };

const PEERS: readonly MakePeer[] = [marcbachmannPeer, bufbuildPeer, zenPeer, jsonRulesPeer];
const ROUNDS = 7;

/**
 * Other engines on the constraints that their language can say, outcomes only: no score, no degrees, contexts made
 * beforehand. Ours is judged whole, with every constraint, score, band and posture. Compared by constraint.
 */
export async function engineRows(sets: readonly CompiledSet[], sights: Sights): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const make of PEERS) {
    const peers = sets.map((set) => ({ set, peer: make(set), sights: sights[set.entity] }));
    const prepared = peers.map(({ peer, sights: own }) => own.map((sight) => peer.prepare(sight)));
    const agreement = await agreementOf(peers, prepared);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = -2; round < ROUNDS; round++) {
      const own = ourRound(peers);
      const other = await peerRound(peers, prepared);
      if (round < 0) continue;
      ours.push(own);
      theirs.push(other);
    }
    const covered = peers.reduce((sum, { peer }) => sum + peer.covers.length, 0);
    const all = sets.reduce((sum, set) => sum + set.checked.constraints.length, 0);
    rows.push(
      row(
        `core: ${peers[0]?.peer.name}`,
        'ns a constraint',
        median(ours),
        median(theirs),
        medianRatio(theirs, ours),
        '>= 10',
        `${covered} of ${all} constraints brought over; ${(agreement * 100).toFixed(1)} % of their outcomes are ours`,
      ),
    );
  }
  return rows;
}

interface Contest {
  readonly set: CompiledSet;
  readonly peer: Peer;
  readonly sights: readonly Sight[];
}

const OUR_REPEATS = 20;

/** Nanoseconds a constraint. */
function ourRound(peers: readonly Contest[]): number {
  let constraints = 0;
  const start = performance.now();
  for (const { set, sights } of peers) {
    const verdict = verdictOf(set);
    for (let i = 0; i < OUR_REPEATS; i++) for (const sight of sights) judgeSight(set, sight, verdict);
    constraints += OUR_REPEATS * sights.length * set.checked.constraints.length;
  }
  return ((performance.now() - start) * 1e6) / constraints;
}

async function peerRound(peers: readonly Contest[], prepared: readonly (readonly unknown[])[]): Promise<number> {
  let constraints = 0;
  const start = performance.now();
  for (const [index, { peer }] of peers.entries())
    for (const context of prepared[index] ?? []) {
      const given = peer.evaluate(context);
      if (given instanceof Promise) await given;
      constraints += peer.covers.length;
    }
  return ((performance.now() - start) * 1e6) / constraints;
}

async function agreementOf(peers: readonly Contest[], prepared: readonly (readonly unknown[])[]): Promise<number> {
  let same = 0;
  let all = 0;
  for (const [index, { set, peer, sights }] of peers.entries()) {
    const verdict = verdictOf(set);
    for (const [at, sight] of sights.entries()) {
      judgeSight(set, sight, verdict);
      const given = await peer.evaluate(prepared[index]?.[at]);
      for (const [order, constraint] of peer.covers.entries()) {
        const outcome = verdict.outcomes[constraint];
        if (outcome === given[order] && outcome !== WAIVED) same++;
        all++;
      }
    }
  }
  return same / all;
}

const verdicts = new WeakMap<CompiledSet, ReturnType<typeof makeVerdict>>();

function verdictOf(set: CompiledSet): ReturnType<typeof makeVerdict> {
  const verdict = verdicts.get(set) ?? makeVerdict(set);
  verdicts.set(set, verdict);
  return verdict;
}
