/** How long a plan waits for its answer, milliseconds. After that it is out of date, and the run ends. */
export const answerDeadlineMs = 30 * 60_000;
