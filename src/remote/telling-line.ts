/** What of the output of an activation tells why it failed. Pure, over lines that are sanitised already. */

/** Why an act of the system came to nothing, mostly in the words of strerror(3). */
const cause =
  /read-only file system|no space left|quota exceeded|permission denied|not permitted|input\/output error|no such file or directory|(?:resource|device) busy|cannot allocate memory|connection (?:refused|reset)|timed? out|structure needs cleaning|killed/iu;
const trouble = /error|fail|denied|cannot|can't|could not|couldn't|unable|refus|not found|invalid|panicked/iu;

/** What our own scripts say of what they do, and the summary that switch-to-configuration ends with. */
const ours =
  /^(?:returning to |returned to |could not return to |nobody confirmed it |it could not be made |somebody else has deployed )|^warning: (?:the following units failed|error\(s\) occurred)/u;

/** The last line that names a cause, or at least a trouble; null where none does. */
export const tellingLine = (log: readonly string[]): string | null => {
  const theirs = log.filter((line) => !ours.test(line));
  const line = theirs.findLast((each) => cause.test(each)) ?? theirs.findLast((each) => trouble.test(each));
  return line === undefined ? null : line.trim();
};

/** The message, with that line. */
export const withTellingLine = (message: string, log: readonly string[]): string => {
  const line = tellingLine(log);
  return line === null || message.includes(line) ? message : `${message}: ${line}`;
};

/** “warning: the following units failed: a.service, b.service” – switch-to-configuration, in Perl and in Rust. */
const failedLine = /the following units failed: (.+)$/;
export const unitsNamedIn = (log: readonly string[]): readonly string[] =>
  log.flatMap(
    (line) =>
      failedLine
        .exec(line)?.[1]
        ?.split(/,\s*|\s+/)
        .filter((unit) => unit !== '') ?? [],
  );
