import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import { DEFAULT_POLICY, type Policy } from '../rollout/policy.ts';
import { readPolicy } from '../rollout/read-policy.ts';
import { EXIT } from './exit-codes.ts';
import { readText } from './load-sets.ts';
import type { LogSettings } from './log-settings.ts';

export function policyCommand(program: Command): void {
  program
    .command('policy')
    .description('the rules for changing rules')
    .command('check')
    .description('check a policy; silent when it is right')
    .argument('<file>')
    .action((file: string) => {
      const text = readText(file);
      const { policy, diagnostics } = readPolicy(text, file);
      for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, text)}\n`);
      if (policy === null) process.exitCode = EXIT.invalid;
    });
}

/** @throws PlumblineError PLB-CLI-POLICY, PLB-CLI-FILE */
export function policyOf({ policy: file }: LogSettings): Policy {
  if (file === undefined) return DEFAULT_POLICY;
  const text = readText(file);
  const { policy, diagnostics } = readPolicy(text, file);
  if (policy !== null) return policy;
  const told = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)).join('\n');
  throw new PlumblineError('PLB-CLI-POLICY', `\`${file}\` is no policy\n${told}`, {
    hint: 'docs/rollouts.md has every key',
  });
}
