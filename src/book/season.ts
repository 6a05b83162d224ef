/** Share of the deals closed in a month that are won: it swings with the quarter, as in real pipelines. */
export function winRate(ms: number): number {
  const monthOfQuarter = new Date(ms).getUTCMonth() % 3;
  return monthOfQuarter === 2 ? 0.8 : monthOfQuarter === 1 ? 0.53 : 0.49;
}
