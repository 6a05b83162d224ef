/** One exit code an outcome. */
export const EXIT = {
  ok: 0,
  /** A failing example, a difference, a fault of the system. */
  failure: 1,
  /** `--fail-on` was met. */
  posture: 2,
  /** A document or the command line is wrong. */
  invalid: 3,
  /** Some inputs were refused; the others went through. */
  refused: 4,
} as const;
