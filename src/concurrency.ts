/**
 * Does `work` for every item, at most `limit` at a time, and gives the results in the order of the items. Every
 * item is worked on even after an abort: `work` takes the signal itself, and then ends at once.
 */
export const mapBounded = async <Item, Out>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Out>,
): Promise<readonly Out[]> => {
  if (items.length <= limit) return Promise.all(items.map((item) => work(item)));
  const results: Out[] = [];
  const queue = items.entries();
  // All lanes draw from one iterator: it hands each item to exactly one of them.
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
};
