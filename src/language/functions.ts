import type { BUILTINS } from './builtins.ts';
import type { Type } from './expression.ts';

export interface FunctionDef {
  readonly name: string;
  /** Called as `x.f(…)`: the receiver is the first argument. */
  readonly method: boolean;
  readonly args: readonly (Type['k'] | 'list')[];
  readonly returns: Type;
  /** A conversion that can fail makes its value missing, and counts for `on_missing`. */
  readonly fails: boolean;
  /** The value is a straight line of its argument, with this slope. */
  readonly slope?: number;
  /** Name of the function in builtins.ts. */
  readonly builtin: keyof typeof BUILTINS;
}

const BOOL: Type = { k: 'bool' };
const INT: Type = { k: 'int' };
const DOUBLE: Type = { k: 'double' };
const STRING: Type = { k: 'string' };
const TIMESTAMP: Type = { k: 'timestamp' };
const DURATION: Type = { k: 'duration' };

const def = (
  name: string,
  method: boolean,
  args: FunctionDef['args'],
  returns: Type,
  builtin: keyof typeof BUILTINS,
  more: { fails?: boolean; slope?: number } = {},
): FunctionDef => ({
  name,
  method,
  args,
  returns,
  builtin,
  fails: more.fails ?? false,
  ...(more.slope === undefined ? {} : { slope: more.slope }),
});

export const MILLISECONDS_A_DAY = 86_400_000;

const TIME_PARTS: readonly (readonly [string, keyof typeof BUILTINS])[] = [
  ['getFullYear', 'fullYear'],
  ['getMonth', 'month'],
  ['getDate', 'dayOfMonthOne'],
  ['getDayOfMonth', 'dayOfMonthZero'],
  ['getDayOfWeek', 'dayOfWeek'],
  ['getDayOfYear', 'dayOfYear'],
  ['getHours', 'hours'],
  ['getMinutes', 'minutes'],
  ['getSeconds', 'seconds'],
  ['getMilliseconds', 'milliseconds'],
];

/** Every function of the language, with its overloads. `matches` also has rules of its own in the checker. */
export const FUNCTIONS: readonly FunctionDef[] = [
  def('days', false, ['duration'], DOUBLE, 'days', { slope: 1 / MILLISECONDS_A_DAY }),
  def('size', false, ['string'], INT, 'sizeOfString'),
  def('size', true, ['string'], INT, 'sizeOfString'),
  def('size', false, ['list'], INT, 'sizeOfList'),
  def('size', true, ['list'], INT, 'sizeOfList'),
  def('contains', true, ['string', 'string'], BOOL, 'contains'),
  def('startsWith', true, ['string', 'string'], BOOL, 'startsWith'),
  def('endsWith', true, ['string', 'string'], BOOL, 'endsWith'),
  def('matches', true, ['string', 'string'], BOOL, 'matches'),
  def('matches', false, ['string', 'string'], BOOL, 'matches'),
  def('lowerAscii', true, ['string'], STRING, 'lowerAscii'),
  def('upperAscii', true, ['string'], STRING, 'upperAscii'),
  def('trim', true, ['string'], STRING, 'trim'),
  def('int', false, ['int'], INT, 'same'),
  def('int', false, ['double'], INT, 'intOfDouble', { fails: true }),
  def('int', false, ['string'], INT, 'intOfString', { fails: true }),
  def('int', false, ['timestamp'], INT, 'intOfTimestamp'),
  def('double', false, ['double'], DOUBLE, 'same', { slope: 1 }),
  def('double', false, ['int'], DOUBLE, 'same'),
  def('double', false, ['string'], DOUBLE, 'doubleOfString', { fails: true }),
  def('bool', false, ['bool'], BOOL, 'same'),
  def('bool', false, ['string'], BOOL, 'boolOfString', { fails: true }),
  def('string', false, ['string'], STRING, 'same'),
  def('string', false, ['int'], STRING, 'stringOfNumber'),
  def('string', false, ['double'], STRING, 'stringOfNumber'),
  def('string', false, ['bool'], STRING, 'stringOfBool'),
  def('string', false, ['timestamp'], STRING, 'stringOfTimestamp'),
  def('string', false, ['duration'], STRING, 'stringOfDuration'),
  def('timestamp', false, ['timestamp'], TIMESTAMP, 'same', { slope: 1 }),
  def('timestamp', false, ['string'], TIMESTAMP, 'timestampOfString', { fails: true }),
  def('timestamp', false, ['int'], TIMESTAMP, 'timestampOfInt', { fails: true }),
  def('duration', false, ['duration'], DURATION, 'same', { slope: 1 }),
  def('duration', false, ['string'], DURATION, 'durationOfString', { fails: true }),
  ...TIME_PARTS.flatMap(([name, part]) => [
    def(name, true, ['timestamp'], INT, part),
    def(name, true, ['timestamp', 'string'], INT, part),
  ]),
  def('getHours', true, ['duration'], INT, 'durationHours'),
  def('getMinutes', true, ['duration'], INT, 'durationMinutes'),
  def('getSeconds', true, ['duration'], INT, 'durationSeconds'),
  def('getMilliseconds', true, ['duration'], INT, 'durationMilliseconds'),
];
