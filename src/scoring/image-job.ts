import type { CompiledSet } from '../compiler/compile.ts';
import { formatInstant } from '../language/contract.ts';
import { forget } from './beside.ts';
import type { ImageJob } from './job.ts';
import { moveDeal, noteMerged } from './merged-deals.ts';
import type { Cause } from './result.ts';
import {
  accountFields,
  answeringOf,
  answerSets,
  canBeScored,
  compareOnly,
  endPosture,
  fireNextDue,
  load,
  type Run,
  save,
  takeFields,
} from './run.ts';
import type { ScoredEntity } from './scored-entity.ts';
import {
  after,
  dealOfKey,
  dealsOf,
  dirtyKey,
  fieldsKey,
  incompleteKey,
  seenKey,
  suffixOf,
  timerKey,
} from './state-keys.ts';

/** Goes on with an image until it is through (null) or this commit holds as much as it may. */
export function runImageJob(run: Run, start: ImageJob): ImageJob | null {
  let job: ImageJob | null = start;
  let left = run.perCommit;
  while (job !== null && left > 0) {
    const step: Progress = PHASES[job.phase](run, job, left);
    job = step.job;
    left -= step.answered;
  }
  return job;
}

interface Progress {
  readonly job: ImageJob | null;
  readonly answered: number;
}

const PHASES: { readonly [phase in ImageJob['phase']]: (run: Run, job: ImageJob, left: number) => Progress } = {
  due: fireOwnDue,
  deals_due: fireDealsDue,
  apply: applyImage,
  move_deals: moveDeals,
  fan_out: fanOut,
};

/** Before an image of time t, what is due until t is answered on the image before. */
function fireOwnDue(run: Run, job: ImageJob, left: number): Progress {
  const { image } = job;
  const next: ImageJob = { ...job, phase: image.entity === 'account' ? 'deals_due' : 'apply' };
  const scored = load(run, image.entity, image.id);
  if (scored === null) return { job: next, answered: 0 };
  const answered = fireAll(run, scored, job, left);
  return { job: answered === left ? job : next, answered };
}

/** Of an account: also what is due of its deals, by id. */
function fireDealsDue(run: Run, job: ImageJob, left: number): Progress {
  const page = dealsPage(run, job);
  let answered = 0;
  for (const deal of page.deals) {
    if (deal.due !== null && deal.due <= job.image.at) {
      const scored = load(run, 'deal', deal.id);
      if (scored !== null) answered += fireAll(run, scored, job, left - answered);
      if (answered >= left) return { job, answered };
    }
    job = { ...job, after: deal.id };
  }
  return { job: page.isLast ? { ...job, phase: 'apply', after: '' } : job, answered };
}

function fireAll(run: Run, scored: ScoredEntity, job: ImageJob, left: number): number {
  let answered = 0;
  while (answered < left && fireNextDue(run, scored, job.image.at, job.inputOffset)) answered++;
  if (answered > 0) save(run, scored);
  return answered;
}

/** The image itself: taken into the state and answered under every active set. */
function applyImage(run: Run, job: ImageJob): Progress {
  const { image } = job;
  const wasPresent = image.entity === 'account' && accountFields(run, image.id) !== null;
  const known = load(run, image.entity, image.id);
  if (known === null) countSeen(run, image.entity);
  const scored = known ?? {
    entity: image.entity,
    id: image.id,
    imageSeq: 0,
    image: null,
    now: null,
    answers: new Map(),
    faulted: new Map(),
    timer: null,
    merged: null,
  };
  const isMerged = noteMerged(scored, image);
  if (image.kind === 'image') takeImage(run, job, scored, image);
  else endImage(run, scored, image);
  if (image.entity === 'deal') {
    if (image.kind === 'image' && image.accountId !== null) moveDeal(run, image.id, image.accountId, image);
    return { job: null, answered: 1 };
  }
  const concerned = concernedSets(run, image.kind === 'image' ? image.changed : [], wasPresent, image.id);
  const next: ImageJob = { ...job, ...concerned, phase: isMerged ? 'move_deals' : 'fan_out', after: '' };
  return { job: isMerged || hasFanOut(next) ? next : null, answered: 1 };
}

const hasFanOut = ({ affected, compared = [] }: ImageJob): boolean => affected.length > 0 || compared.length > 0;

function countSeen({ state }: Run, entity: ScoredEntity['entity']): void {
  const key = seenKey(entity);
  state.set(key, String(Number(state.get(key) ?? 0) + 1));
}

/** Sends the deals of a merged account on, by id. */
function moveDeals(run: Run, job: ImageJob): Progress {
  const page = dealsPage(run, job);
  for (const { id } of page.deals) moveDeal(run, id, job.image.id, job.image);
  const after = page.deals[page.deals.length - 1]?.id ?? job.after;
  const next: ImageJob | null = hasFanOut(job) ? { ...job, phase: 'fan_out', after: '' } : null;
  return { job: page.isLast ? next : { ...job, after }, answered: Math.max(1, page.deals.length) };
}

function takeImage(run: Run, job: ImageJob, scored: ScoredEntity, image: ImageJob['image'] & { kind: 'image' }): void {
  const { accountId, version, lane, waivers, lacking, dirty } = image;
  const incomplete = incompleteKey(image.entity, image.id);
  if (lacking.length > 0) run.state.set(incomplete, lacking.join(','));
  else if (scored.image !== null && scored.image.lacking.length > 0) run.state.set(incomplete, undefined);
  listDirty(run, scored, dirty === true);
  scored.imageSeq = image.imageSeq;
  scored.image = { accountId, version, lane, waivers, lacking, ...(dirty ? { dirty } : {}) };
  takeFields(run, image);
  if (canBeScored(scored)) {
    const cause: Cause = { kind: 'change', event_id: image.eventId };
    answerSets(run, scored, run.control.sets[image.entity], cause, image.at, job.inputOffset);
  } else {
    // What is incomplete is not scored, so that nothing of it falls due; its last posture stands.
    for (const [set, last] of scored.answers) scored.answers.set(set, { ...last, dueAt: null });
  }
  save(run, scored);
}

function listDirty(run: Run, { entity, id, image }: ScoredEntity, dirty: boolean): void {
  if (dirty) run.state.set(dirtyKey(entity, id), '1');
  else if (image?.dirty) run.state.set(dirtyKey(entity, id), undefined);
}

/** Deleted, or moved away: each posture ends. Its number stays, so that nothing older brings it back. */
function endImage(run: Run, scored: ScoredEntity, image: ImageJob['image']): void {
  const cause: Cause = { kind: 'change', event_id: image.eventId };
  const now = formatInstant(Math.max(image.at, scored.now ?? image.at));
  for (const [set, last] of scored.answers) {
    endPosture(run, scored, set, last, { cause, now, imageSeq: image.imageSeq });
    forget(run, set, scored, last.beside);
  }
  if (scored.image !== null && scored.image.lacking.length > 0)
    run.state.set(incompleteKey(scored.entity, scored.id), undefined);
  listDirty(run, scored, false);
  if (scored.timer !== null) run.state.set(timerKey(scored.timer, scored.entity, scored.id), undefined);
  const accountId = scored.entity === 'deal' ? (scored.image?.accountId ?? null) : null;
  if (accountId !== null) run.state.set(dealOfKey(accountId, scored.id), undefined);
  run.state.set(fieldsKey(scored.entity, scored.id), undefined);
  scored.imageSeq = image.imageSeq;
  scored.image = null;
  scored.now = null;
  scored.timer = null;
  scored.answers.clear();
  scored.faulted.clear();
  save(run, scored);
}

/** The deals' sets whose answer can move: what answers for the account reads what changed, or the account came or went. */
function concernedSets(
  run: Run,
  changed: readonly string[],
  wasPresent: boolean,
  accountId: string,
): Pick<ImageJob, 'affected' | 'compared'> {
  const isPresent = accountFields(run, accountId) !== null;
  if (!isPresent && !wasPresent) return { affected: [] };
  const isConcerned = ({ accountReads }: CompiledSet): boolean =>
    isPresent === wasPresent ? changed.some((name) => accountReads.has(name)) : accountReads.size > 0;
  const affected: string[] = [];
  const compared: string[] = [];
  for (const set of run.control.sets.deal) {
    const { active, fallback } = answeringOf(set, accountId);
    if (isConcerned(active) || (fallback !== null && isConcerned(fallback))) affected.push(set.active.name);
    else if (set.candidate !== undefined && isConcerned(set.candidate.set)) compared.push(set.active.name);
  }
  return compared.length === 0 ? { affected } : { affected, compared };
}

/** Rescores the account's deals, by id. */
function fanOut(run: Run, job: ImageJob, left: number): Progress {
  const { image, affected, compared = [] } = job;
  const sets = run.control.sets.deal.filter(({ active }) => affected.includes(active.name));
  const beside = run.control.sets.deal.filter(({ active }) => compared.includes(active.name));
  const cause: Cause = { kind: 'account_change', event_id: image.eventId };
  const page = dealsPage(run, job);
  let answered = 0;
  for (const deal of page.deals) {
    if (answered >= left) return { job, answered };
    const scored = load(run, 'deal', deal.id);
    if (canBeScored(scored)) {
      answerSets(run, scored, sets, cause, image.at, job.inputOffset);
      for (const set of beside) compareOnly(run, scored, set);
      save(run, scored);
      answered++;
    }
    job = { ...job, after: deal.id };
  }
  return { job: page.isLast ? null : job, answered };
}

function dealsPage(run: Run, job: ImageJob) {
  const all = dealsOf(job.image.id);
  const range = after(all, job.after);
  const entries = run.state.range(range.from, range.to, run.perCommit);
  const deals = entries.map(({ key, value }) => ({
    id: suffixOf(key, all),
    due: value === '' ? null : Number(value),
  }));
  return { deals, isLast: entries.length < run.perCommit };
}
