import type { Command } from 'commander';
import { PlumblineError } from '../errors.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import { DEFAULT_POLICY, type Policy } from '../rollout/policy.ts';
import { runPolicyExamples } from '../rollout/policy-examples.ts';
import { readPolicy } from '../rollout/read-policy.ts';
import { EXIT } from './exit-codes.ts';
import { readText } from './load-sets.ts';
import type { LogSettings } from './log-settings.ts';
import { printable } from './printable.ts';

export function policyCommand(program: Command): void {
  const group = program.command('policy').description('the rules for changing rules');
  group
    .command('check')
    .description('check a policy; silent when it is right')
    .argument('<file>')
    .action((file: string) => {
      read(file);
    });
  group
    .command('test')
    .description('what the guards of a policy say to its examples; silent when it is what they expect')
    .argument('<file>')
    .action((file: string) => {
      const policy = read(file);
      const failed = policy === null ? [] : runPolicyExamples(policy).filter(({ mismatches }) => mismatches.length > 0);
      for (const { name, mismatches } of failed)
        process.stderr.write(`example \`${printable(name)}\`\n${mismatches.map((line) => `  ${line}\n`).join('')}`);
      if (failed.length > 0) process.exitCode = EXIT.failure;
    });
}

/** Tells what is wrong with it. null: something is. */
function read(file: string): Policy | null {
  const text = readText(file);
  const { policy, diagnostics } = readPolicy(text, file);
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, text)}\n`);
  if (policy === null) process.exitCode = EXIT.invalid;
  return policy;
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
