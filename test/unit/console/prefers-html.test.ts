import { expect, it } from 'vitest';
import { prefersHtml } from '../../../src/console/prefers-html.ts';

it('a browser is shown a page, a client that takes anything gets JSON', () => {
  expect(prefersHtml('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')).toBe(true);
  expect(prefersHtml('application/json;q=0.5, TEXT/HTML ; q=0.9')).toBe(true);
  for (const accept of [undefined, '', '*/*', 'application/json', 'application/json, text/html;q=0.9', 'text/html;q=0'])
    expect(prefersHtml(accept)).toBe(false);
  expect(prefersHtml('text/html;q=x')).toBe(false);
});
