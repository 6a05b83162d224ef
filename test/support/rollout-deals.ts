/** One version of a deal that the shipped deal-desk set judges by its discount. Each has an account of its own. */
export const discountedDeal = (index: number, version: number, discount: number): string =>
  JSON.stringify({
    event_id: `e${index}-${version}`,
    entity: 'deal',
    id: `D${index}`,
    account_id: `A${index}`,
    version: String(version),
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields: { stage: 'proposal', discount_pct: discount, approvals: [], amount: 100, list_price: 150 },
  });
