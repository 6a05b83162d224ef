import { type Command, Option } from 'commander';
import { loadContracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import { ContractBreach, decodeJson, type EntityKind, type Fields, type Value } from '../language/contract.ts';
import { didYouMean } from '../language/suggest.ts';
import { decodeEvidence } from '../scoring/reproduce.ts';
import type { Result } from '../scoring/result.ts';
import { answer } from '../scoring/score.ts';
import { POSTURE_STYLES, painter } from './colors.ts';
import { lastResults } from './find-result.ts';
import { withPlace } from './open-log.ts';
import { printable } from './printable.ts';
import { parseNow } from './score.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface WhatIfFlags extends SettingsFlags {
  readonly entity: EntityKind;
  readonly id: string;
  readonly set?: string;
  readonly setField: readonly string[];
  readonly now?: number;
  readonly format: string;
}

export function whatIfCommand(program: Command): void {
  withLogFlags(
    program
      .command('what-if')
      .description('the result as it would be with other values, and what differs; nothing is written'),
  )
    .addOption(new Option('--entity <kind>').choices(['deal', 'account']).makeOptionMandatory())
    .requiredOption('--id <id>')
    .option('--set <name>', 'one set only')
    .requiredOption(
      '--set-field <name=value...>',
      'such as discount_pct=28, next_step_at=2026-04-01T00:00:00Z, or nps=null; account.NAME for the account of a deal',
    )
    .option('--now <instant>', "at another time than the last result's", parseNow)
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (flags: WhatIfFlags) => {
      await withPlace(flags, async (place) => {
        for (const { result, set } of await lastResults(place, flags.entity, flags.id, flags.set)) {
          const { subject } = decodeEvidence(set, result);
          const assumed = assume({ own: subject.fields, account: subject.account }, flags);
          const would = answer(set, {
            ...subject,
            fields: assumed.own,
            account: assumed.account,
            now: flags.now ?? subject.now,
            previousBand: result.band,
            previousPosture: result.posture,
          });
          process.stdout.write(
            flags.format === 'json'
              ? `${JSON.stringify({ present: result, would_be: would.result })}\n`
              : renderDifference(result, would.result),
          );
        }
      });
    });
}

interface Entities {
  readonly own: Fields;
  readonly account: Fields | null;
}

function assume(entities: Entities, flags: WhatIfFlags): Entities {
  let { own, account } = entities;
  for (const assignment of flags.setField) {
    const split = assignment.indexOf('=');
    if (split < 1)
      throw new PlumblineError('PLB-CLI-FIELD', `\`${assignment.slice(0, 80)}\` is no assignment`, {
        hint: 'write name=value',
      });
    const path = assignment.slice(0, split);
    const text = assignment.slice(split + 1);
    const ofAccount = flags.entity === 'deal' && path.startsWith('account.');
    const name = path.replace(/^(account|deal)\./, '');
    const value = readValue(ofAccount ? 'account' : flags.entity, name, text);
    if (ofAccount) account = { ...account, [name]: value };
    else own = { ...own, [name]: value };
  }
  return { own, account };
}

function readValue(entity: EntityKind, name: string, text: string): Value {
  const contract = loadContracts()[entity];
  const field = contract.fields.get(name);
  if (!field)
    throw new PlumblineError('PLB-CLI-FIELD', `${entity} has no field \`${name.slice(0, 80)}\``, {
      hint: didYouMean(name, contract.fields.keys()) ?? '',
    });
  if (text === 'null' && field.nullable) return null;
  try {
    const isText = ['string', 'enum', 'date', 'instant'].includes(field.type.kind);
    return decodeJson(field.type, isText ? text : parseJson(text), name);
  } catch (error) {
    if (error instanceof ContractBreach)
      throw new PlumblineError(error.breach.code, `--set-field ${name}: ${error.breach.message}`, {
        hint: `the contract says what \`${name}\` takes: see schemas/${entity}.avsc`,
      });
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function renderDifference(present: Result, would: Result): string {
  const paint = painter(process.stdout);
  const both = (before: string | number, after: string | number): string =>
    before === after ? String(before) : `${before} → ${after}`;
  const posture =
    present.posture === would.posture
      ? paint(POSTURE_STYLES[would.posture], would.posture)
      : `${paint(POSTURE_STYLES[present.posture], present.posture)} → ${paint(POSTURE_STYLES[would.posture], would.posture)}`;
  const lines = [
    `${would.entity} ${printable(would.id)} · ${would.set} · ${would.now}`,
    `  score ${both(present.score, would.score)}, band ${both(present.band, would.band)}, posture ${posture}`,
  ];
  would.outcomes.forEach((line, index) => {
    const before = present.outcomes[index];
    if (before?.outcome === line.outcome && before.degree === line.degree) return;
    lines.push(
      `  ${line.constraint}: ${both(before?.outcome ?? '', line.outcome)}${line.degree === undefined ? '' : ` (degree ${both(before?.degree ?? '—', line.degree)})`}${line.message ? `: ${printable(line.message)}` : ''}`,
    );
  });
  if (lines.length === 2) lines.push('  nothing differs');
  return `${lines.join('\n')}\n`;
}
