import { expect, it } from 'vitest';
import { checkCredentials } from '../../../../src/connectors/pipedrive/credentials.ts';

const KNOWN = { user: 'hook', password: 'p:ä ss' };
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

it.each([basic('hook:p:ä ss'), basic('hook:p:ä ss').replace('Basic', 'bAsic'), `${basic('hook:p:ä ss')} `])(
  'takes user and password: %s',
  (header) => {
    expect(() => checkCredentials(header, KNOWN)).not.toThrow();
  },
);

it.each([
  undefined,
  '',
  'Basic',
  'Basic ',
  `Bearer ${basic('hook:p:ä ss').slice(6)}`,
  ['Basic x', 'Basic y'],
  basic('hook'),
  basic('hook:'),
  basic('hook:p:a ss'),
  basic('Hook:p:ä ss'),
  basic('hook:p:ä ss '),
  `Basic ${'A'.repeat(10_000)}`,
])('refuses %j', (header) => {
  expect(() => checkCredentials(header, KNOWN)).toThrow(expect.objectContaining({ code: 'PLB-HOOK-CREDENTIALS' }));
});
