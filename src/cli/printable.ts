// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from outside for a terminal: what would move its cursor, recolour it or turn it round is shown as `·`. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '·');
