import { hash, timingSafeEqual } from 'node:crypto';
import { PlumblineError } from '../../errors.ts';

/** What a webhook of Pipedrive was given to name itself with (HTTP Basic): it signs nothing. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** @param authorization the header @throws PlumblineError PLB-HOOK-CREDENTIALS */
export function checkCredentials(authorization: unknown, { user, password }: Credentials): void {
  const [, encoded] = typeof authorization === 'string' ? (/^basic +([\w+/=-]+) *$/i.exec(authorization) ?? []) : [];
  if (encoded === undefined)
    throw new PlumblineError('PLB-HOOK-CREDENTIALS', 'the request names neither user nor password', {
      hint: "give the webhook its HTTP auth user and password in Pipedrive's settings",
    });
  // Digests are of one length, and their comparison tells nothing of what they were made of.
  if (!timingSafeEqual(digestOf(Buffer.from(encoded, 'base64')), digestOf(Buffer.from(`${user}:${password}`))))
    throw new PlumblineError('PLB-HOOK-CREDENTIALS', 'user or password of the webhook is wrong', {
      hint: 'they are those given for HTTP auth when the webhook was made in Pipedrive',
    });
}

const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');
