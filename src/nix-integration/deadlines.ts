/** How long Nix may take, by what it does. Milliseconds. */
export type NixDeadlines = {
  /** Answering `--version` and small questions to the local store. */
  readonly questionMs: number;
  /** One process that evaluates machines or lists the flake, downloads of inputs included. */
  readonly evaluationMs: number;
  /** No machine begun or finished for so long: the one under way is given up, the others go on. */
  readonly evaluationStallMs: number;
  /** Moving flake.lock, downloads included. */
  readonly updateMs: number;
  /** Building all toplevels. */
  readonly buildMs: number;
  /** A copy of which nothing moves for so long is given up: other machines wait for its end. */
  readonly copyStallMs: number;
};

const minuteMs = 60_000;

export const nixDeadlines: NixDeadlines = {
  questionMs: minuteMs,
  evaluationMs: 60 * minuteMs,
  evaluationStallMs: 10 * minuteMs,
  updateMs: 30 * minuteMs,
  buildMs: 12 * 60 * minuteMs,
  copyStallMs: 30 * minuteMs,
};
