import { afterAll, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { connectorsOn, imagesOn, ownOf, posturesOn, SOURCES, toldBy } from '../../support/crm-on-log.ts';
import { CRMS } from '../../support/crm-pipeline.ts';
import { recordsOf } from '../../support/rescore.ts';
import { compile, shippedSets, workOn } from '../../support/test-worker.ts';

const NOW = Date.UTC(2026, 6, 1);
const BOOK = { seed: 11, until: NOW, accounts: 12, deals: 40 };

/** What a band's hysteresis remembers is the way there, which is another for each CRM. */
const withoutMemory = () => shippedSets((text) => text.replace(/hysteresis: \d+/, 'hysteresis: 0'));

describe('one history told by four CRMs, through a worker on the embedded log', () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  it('gives the images and postures of the canonical history', async () => {
    const topics = topicNames('', SOURCES);
    const log = openEmbeddedLog({ directory: scratch.path, topics: topicSpecs(topics, 2), clock: () => NOW });
    await activateSets(log, topics, await followControl(log, topics, compile), withoutMemory(), { at: 0, by: 'test' });
    const worker = await workOn(log, topics, { clock: () => NOW, connectors: connectorsOn(topics) });
    const told = toldBy(topics, BOOK, NOW);
    for (const records of Object.values(told)) await log.append(records);
    await until('everything is answered', async () => totalLag(await lagOf(log, topics)) === 0);
    await worker.stop(10_000);

    expect((await recordsOf(log, topics.deadLetters)).flat()).toEqual([]);
    const images = await imagesOn(log, topics);
    const postures = await posturesOn(log, topics);
    const canonical = { images: ownOf(images, 'canonical'), postures: ownOf(postures, 'canonical') };
    expect((canonical.images as unknown[]).length).toBeGreaterThan(45);
    expect((canonical.postures as unknown[]).length).toBeGreaterThan(80);
    expect(new Set((canonical.postures as [string, string][]).map(([, to]) => to)).size).toBeGreaterThan(2);
    for (const crm of CRMS) {
      expect([crm, ownOf(images, crm)]).toEqual([crm, canonical.images]);
      expect([crm, ownOf(postures, crm)]).toEqual([crm, canonical.postures]);
    }
    await log.close();
  });
});
