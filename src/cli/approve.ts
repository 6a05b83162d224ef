import { createPublicKey } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { fingerprintOf, signApproval } from '../rollout/approval.ts';
import { answerFormat, askController, tell, whoAmI } from './ask-controller.ts';
import { controlStateOf } from './control-state.ts';
import { readPrivateKey } from './keys.ts';
import { withPlace } from './open-log.ts';
import { nothingProposed } from './propose.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface ApproveFlags extends SettingsFlags {
  readonly key: string;
  readonly role: string;
  readonly days: number;
  readonly by?: string;
  readonly format: string;
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 365;

export function approveCommand(program: Command): void {
  withLogFlags(
    program
      .command('approve')
      .description('approve what is proposed of a set: signed here, for this version, baseline and evidence alone')
      .argument('<name>', 'of the set'),
  )
    .requiredOption('--key <file>', 'your private key; it does not leave this machine')
    .requiredOption('--role <role>', 'the role that the policy gives to the key')
    .option('--days <n>', `how long it holds, at most ${MAX_DAYS}`, readDays, 7)
    .option('--by <who>', 'who approves (PLUMBLINE_BY; default: this user)')
    .addOption(answerFormat())
    .action(async (name: string, flags: ApproveFlags) => {
      const privateKey = readPrivateKey(flags.key);
      await withPlace(flags, async (place) => {
        const rollout = (await controlStateOf(place)).sets.get(name)?.rollout ?? nothingProposed(name);
        const terms = {
          set: name,
          version: rollout.version,
          baseline: rollout.baseline,
          evidence: rollout.evidence?.hash ?? '-',
          role: flags.role,
          expiresAt: Math.floor(Date.now() / 1_000) * 1_000 + flags.days * DAY_MS,
        };
        const key = fingerprintOf(createPublicKey(privateKey));
        const signature = signApproval(terms, privateKey);
        const by = flags.by ?? whoAmI();
        tell(await askController(place, { kind: 'approve', ...terms, key, signature, by }), flags.format);
      });
    });
}

function readDays(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`expected a whole number of days from 1 to ${MAX_DAYS}`);
}
