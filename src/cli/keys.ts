import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';

export function keysCommand(program: Command): void {
  program
    .command('keys')
    .description("approvers' keys")
    .command('make')
    .description('make an Ed25519 key pair: the private half into a file of yours alone, the public one for the policy')
    .argument('<file>', 'where the private key goes; it must not be there yet')
    .action((file: string) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      try {
        writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
      } catch (cause) {
        throw new PlumblineError(
          'PLB-CLI-FILE',
          `can't make \`${file}\`: ${cause instanceof Error ? cause.message : cause}`,
          {
            hint: 'name a file that is not there yet',
            cause,
          },
        );
      }
      process.stdout.write(`${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}\n`);
    });
}

/** @throws PlumblineError PLB-CLI-FILE */
export function readPrivateKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // What was wrong with it may have the key in it.
  }
  throw new PlumblineError('PLB-CLI-FILE', `\`${file}\` holds no Ed25519 private key that can be read`, {
    hint: '`plumbline keys make FILE` makes one',
  });
}
