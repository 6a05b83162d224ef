import { styleText } from 'node:util';
import type { Posture } from '../scoring/posture.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours only for a terminal, and never where NO_COLOR is set. */
export function painter(stream: NodeJS.WriteStream): (style: Style, text: string) => string {
  const colored = stream.isTTY === true && !process.env.NO_COLOR;
  return (style, text) => (colored ? styleText(style, text, { validateStream: false }) : text);
}

export const POSTURE_STYLES: { readonly [P in Posture]: Style } = {
  healthy: 'green',
  watch: 'yellow',
  at_risk: 'magenta',
  critical: 'red',
};
