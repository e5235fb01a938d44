/** Seconds, minutes, hours, days, months, days of the week: what each field may hold. */
const fields = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

const part = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/u;

/**
 * Whether a text is a cron expression in numbers, of five fields or of six with seconds in front. Checked without the
 * library that keeps the schedule, which only a real lab has to load.
 */
export const isCronText = (text: string): boolean => {
  const given = text.trim().split(/\s+/u);
  if (given.length !== 5 && given.length !== 6) return false;
  return given.every((field, index) => {
    const [low, high] = fields[index + fields.length - given.length] ?? [0, 0];
    return field.split(',').every((piece) => {
      const found = part.exec(piece);
      if (found === null) return false;
      const [, from, to, step] = found;
      const inside = (value: string | undefined): boolean =>
        value === undefined || (Number(value) >= low && Number(value) <= high);
      return inside(from) && inside(to) && (to === undefined || Number(from) <= Number(to)) && step !== '0';
    });
  });
};
