/** Loaded before the recorded program: for it, it is always the same day. Dates in the picture then do not change with it. */

const start = Date.UTC(2026, 10, 21, 12, 0, 0);
const began = performance.now();

Date.now = () => Math.round(start + performance.now() - began);
