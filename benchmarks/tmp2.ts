import { coreRows } from './core.ts';
import { shippedSets, sightsOfBook } from './corpus.ts';

console.log(
  coreRows(shippedSets(), sightsOfBook(7))
    .map((r) => `${r.ours.toFixed(0)} ${r.peer.toFixed(0)} ${r.ratio.toFixed(2)}`)
    .join(' | '),
);
