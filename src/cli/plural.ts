/** A count with the words that go with it: `1 record`, `2 records`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
