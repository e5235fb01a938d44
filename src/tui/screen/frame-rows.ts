/** How the rows of the terminal are shared out. Below this size nothing truthful fits. */
export const leastSize = { columns: 40, rows: 12 } as const;

/** From this height on there is room for lines that only separate. */
const airyRows = 18;

type FrameRows = { readonly title: 1; readonly tabs: 1; readonly air: 0 | 1; readonly body: number };

/** Title, tabs, (air,) body, status line, hint bar. */
export const frameRows = ({ rows }: { readonly rows: number }): FrameRows => {
  const air = rows >= airyRows ? 1 : 0;
  return { title: 1, tabs: 1, air, body: Math.max(0, rows - 4 - air) };
};
