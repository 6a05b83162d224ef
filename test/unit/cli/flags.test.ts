import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFlags, switchesNow } from '../../../src/cli/flags.ts';
import { readLogSettings } from '../../../src/cli/log-settings.ts';
import { createHealth } from '../../../src/runtime/health.ts';

const directory = mkdtempSync(join(tmpdir(), 'plumbline-flags-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const settingsOf = (env: { readonly [name: string]: string }) => readLogSettings({ dataDir: directory }, env);
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

describe('flags', () => {
  it.each([
    ['', { processing: true, rollouts: true }],
    ['processing: false\n', { processing: false, rollouts: true }],
    ['{ "rollouts": false }', { processing: true, rollouts: false }],
  ])('of a file are as %j says', async (text, expected) => {
    expect(await switchesNow(settingsOf({ PLUMBLINE_FLAGS_FILE: file('f.yaml', text) }))).toEqual(expected);
  });

  it('are on where there is no file', async () => {
    expect(await switchesNow(settingsOf({}))).toEqual({ processing: true, rollouts: true });
  });

  it.each(['processing: perhaps', 'other: true', '[', '- a'])(
    'that can’t be read stay as they were: %j',
    async (text) => {
      const health = createHealth();
      const flags = await openFlags(settingsOf({ PLUMBLINE_FLAGS_FILE: file('f.yaml', text) }), health);
      expect(flags.now()).toEqual({ processing: true, rollouts: true });
      expect(health.report().reasons.join()).toContain('PLB-FLAGS-READ');
      await flags.close();
    },
  );

  it('are any provider’s', async () => {
    const provider = file(
      'provider.mjs',
      `const value = async (key, fallback) => ({ value: key === 'plumbline.rollouts' ? false : fallback });
       export default () => ({
         metadata: { name: 'mine' }, runsOn: 'server', resolveBooleanEvaluation: value,
         resolveStringEvaluation: value, resolveNumberEvaluation: value, resolveObjectEvaluation: value,
       });`,
    );
    expect(await switchesNow(settingsOf({ PLUMBLINE_FLAGS_PROVIDER: provider }))).toEqual({
      processing: true,
      rollouts: false,
    });
  });

  it.each([
    ['that never answers', 'new Promise(() => {})', 'has not answered'],
    ['whose flag is no flag', 'Promise.resolve({ value: "off" })', 'neither true nor false'],
  ])('stay as they were with a provider %s', async (_, answer, reason) => {
    const provider = file(
      `${reason}.mjs`,
      `const value = () => ${answer};
       export default () => ({
         metadata: { name: 'odd' }, runsOn: 'server', resolveBooleanEvaluation: value,
         resolveStringEvaluation: value, resolveNumberEvaluation: value, resolveObjectEvaluation: value,
       });`,
    );
    const health = createHealth();
    const flags = await openFlags(settingsOf({ PLUMBLINE_FLAGS_PROVIDER: provider }), health);
    expect(flags.now()).toEqual({ processing: true, rollouts: true });
    expect(health.report().reasons.join()).toContain(reason);
    await flags.close();
  });

  it.each([
    ['a module that is not there', 'nothing.mjs', null],
    ['one that gives none', 'none.mjs', 'export default 7;'],
    [
      'one whose provider doesn’t come up',
      'broken.mjs',
      'export default () => ({ metadata: { name: "b" }, initialize: async () => { throw new Error("no"); } });',
    ],
  ])('refuse %s', async (_, name, text) => {
    if (text !== null) file(name, text);
    await expect(switchesNow(settingsOf({ PLUMBLINE_FLAGS_PROVIDER: join(directory, name) }))).rejects.toMatchObject({
      code: 'PLB-FLAGS-PROVIDER',
    });
  });
});
