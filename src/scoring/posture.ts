/** From best to worst: an index compares two of them. */
export const POSTURES = ['healthy', 'watch', 'at_risk', 'critical'] as const;
export type Posture = (typeof POSTURES)[number];

export const isPosture = (text: unknown): text is Posture => POSTURES.some((posture) => posture === text);

export const worstPosture = (a: Posture, b: Posture): Posture => (POSTURES.indexOf(a) >= POSTURES.indexOf(b) ? a : b);
