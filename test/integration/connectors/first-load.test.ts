import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CRM_TELLERS } from '../../../src/book/crm/crm-records.ts';
import { generateHistory } from '../../../src/book/generate-book.ts';
import type { PostureChange } from '../../../src/scoring/result.ts';
import { scratchDirectory } from '../../support/cli.ts';
import { type Connected, connected } from '../../support/connected.ts';
import { exportsOf } from '../../support/crm-exports.ts';
import { imagesOn } from '../../support/crm-on-log.ts';
import { bookMappingFile, CRMS, comparable, imagesOf } from '../../support/crm-pipeline.ts';
import { recordsOf, textsOf } from '../../support/rescore.ts';
import { contracts } from '../../support/test-worker.ts';

const UNTIL = Date.UTC(2025, 6, 1);
const EXPORTED_AT = Date.UTC(2025, 2, 1);
const history = [...generateHistory({ seed: 21, until: UNTIL, accounts: 5, deals: 15 })];
const canonical = [...imagesOf(comparable(history))];

/** Where `plumbline sync` comes in, as a share of the stream. */
const ORDERS = [
  ['before the stream', 0],
  ['in the middle of it', 0.6],
  ['after it', 1],
] as const;

describe.each(CRMS)('the first load of %s', (crm) => {
  let scratch: ReturnType<typeof scratchDirectory>;
  let running: Connected | null = null;
  beforeEach(() => {
    scratch = scratchDirectory();
  });
  afterEach(async () => {
    await running?.stop();
    running = null;
    scratch.remove();
  });

  it.each(ORDERS)(
    '%s gives the same images, and no alarm at first sight',
    async (_, share) => {
      running = await connected(scratch.path, bookMappingFile(crm));
      const { log, topics } = running;
      const stream = [...CRM_TELLERS[crm](21, history, contracts)].map(({ value }) => value);
      const cut = Math.floor(share * stream.length);
      await running.take(...stream.slice(0, cut));
      for (const { object, name, content } of exportsOf(crm, 21, history, EXPORTED_AT)) {
        const at = ['--exported-at', new Date(EXPORTED_AT).toISOString()];
        const ran = await running.sync(object === null ? name : `${object}=${name}`, content, at);
        expect([ran.code, ran.stderr]).toEqual([0, '']);
        // What time does since then is told once the load is through.
        const alarms = (await posturesOf(running)).filter(({ from, cause }) => from !== null && cause.kind !== 'due');
        if (share === 0) expect(alarms).toEqual([]);
      }
      await running.take(...stream.slice(cut));
      expect((await recordsOf(log, topics.deadLetters)).flat()).toEqual([]);
      expect([...(await imagesOn(log, topics))]).toEqual(canonical);
    },
    60_000,
  );
});

const posturesOf = async ({ log, topics }: Connected): Promise<readonly PostureChange[]> =>
  (await recordsOf(log, topics.postures)).flatMap(textsOf).map((text) => JSON.parse(text) as PostureChange);
