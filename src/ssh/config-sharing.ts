import { ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import type { ProcessResult } from '../process/run.ts';
import { readBounded } from './bounded-file.ts';
import { linesThatMatter } from './config.ts';
import type { Endpoint } from './endpoint.ts';
import { matchesHostPatterns } from './host-pattern.ts';
import type { SshLimits } from './limits.ts';

/*
 * A fleet of hundreds would start `ssh -G` hundreds of times to hear the same thing, which costs more than all of its
 * handshakes. What ssh prints depends on a host's name only through the `Host` lines that match it, and through the
 * name itself; so hosts that match the same lines of the same files share one answer. Where that does not hold for
 * certain (a `Match` line, a `%` token, a name that shows up elsewhere in the answer) each host asks for itself.
 */

const configFileBytesMax = 1024 * 1024;
const configFilesMax = 256;

export type HostLines = readonly (readonly string[])[];

const line = /^\s*"?(?<keyword>[A-Za-z]+)"?(?:\s*=\s*|\s+)(?<rest>.*)$/u;
/** Options whose `%` tokens this transport never reads. */
const tokensDoNotMatter = new Set(['controlpath', 'localcommand', 'remotecommand']);

/** The patterns of every `Host` line of these files, or null where sharing is not safe. */
export const hostLinesOf = (texts: readonly string[]): HostLines | null => {
  const lists: (readonly string[])[] = [];
  for (const found of texts.flatMap((text) => text.split('\n')).map((text) => line.exec(text)?.groups)) {
    const keyword = found?.keyword?.toLowerCase() ?? '';
    const rest = found?.rest ?? '';
    if (keyword === '' || tokensDoNotMatter.has(keyword)) continue;
    if (keyword === 'match' || keyword === 'canonicalizehostname' || rest.includes('%')) return null;
    if (keyword === 'include' && rest.includes('$')) return null;
    if (keyword !== 'host') continue;
    // Quotes, escapes, comments: ssh may read them another way. Capitals: ssh tells them apart here, the matcher not.
    if (/["'\\#A-Z]/u.test(rest)) return null;
    lists.push(rest.split(/\s+/u).filter((pattern) => pattern !== ''));
  }
  return lists;
};

/** Files that `ssh -v` says it has read; null where that cannot be told for certain. */
export const filesRead = (stderr: string): readonly string[] | null => {
  const paths = [...stderr.matchAll(/^debug1: Reading configuration data (?<path>.*?)\r?$/gmu)].map(
    (match) => match.groups?.path ?? '',
  );
  return paths.length > 0 && paths.every((path) => path.startsWith('/')) ? paths : null;
};

/** The answer as a function of the name, or null where the name shows up in more than its own lines. */
export const answerForOthers = (printed: string, alias: string): ((other: string) => string) | null => {
  const own = `hostname ${alias}`;
  const lines = linesThatMatter(printed);
  if (!lines.includes(own)) return null;
  const rest = lines.filter((text) => text !== own);
  if (rest.some((text) => text.toLowerCase().includes(alias))) return null;
  return (other) => [`hostname ${other}`, ...rest].join('\n');
};

/** What `-p` and `-l` would have changed. */
const withOverrides = (printed: string, { port, user }: Endpoint): string =>
  [
    ...(port === null ? [] : [`port ${port}`]),
    ...(user === null ? [] : [`user ${user}`]),
    ...printed
      .split('\n')
      .filter(
        (text) =>
          !(port !== null && text.startsWith('port ')) && !(user !== null && text.startsWith('user ')),
      ),
  ].join('\n');

type Answer = Result<((other: string) => string) | null, SshError>;
type Ask = (endpoint: Endpoint, signal: AbortSignal | undefined) => Promise<Result<ProcessResult, SshError>>;

/** Everything learnt from one reading of the configuration. */
type Reading = {
  readonly hostLines: HostLines | null;
  /** By which lines match. */
  readonly answers: Map<string, Promise<Answer>>;
};

/** Which `Host` lines match, as text. */
const vectorOf = (hostLines: HostLines, alias: string): string =>
  hostLines.map((patterns) => (matchesHostPatterns(alias, patterns) ? '1' : '0')).join('');

const textsOf = async (paths: readonly string[] | null): Promise<readonly string[] | null> => {
  if (paths === null || paths.length > configFilesMax) return null;
  const texts: string[] = [];
  for (const path of paths) {
    const read = await readBounded(path, configFileBytesMax);
    if (!read.ok || read.value === null) return null;
    texts.push(read.value.bytes.toString('utf8'));
  }
  return texts;
};

export type ConfigSharing = {
  /** What `ssh -G` prints for the endpoint, asked or shared. */
  output(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Result<string, SshError>>;
};

export const createConfigSharing = (deps: {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly limits: SshLimits;
  /** Ends what is asked on behalf of several. */
  readonly closing: AbortSignal;
}): ConfigSharing => {
  const { ask, clock, limits, closing } = deps;
  let current: Promise<Result<Reading, SshError>> | null = null;
  let expires = 0;

  const own = async (
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
  ): Promise<Result<string, SshError>> => {
    const printed = await ask(endpoint, signal);
    return printed.ok ? ok(printed.value.stdout) : printed;
  };
  const bare = (endpoint: Endpoint): Endpoint => ({ ...endpoint, port: null, user: null });

  const read = async (endpoint: Endpoint): Promise<Result<Reading, SshError>> => {
    const printed = await ask(bare(endpoint), closing);
    if (!printed.ok) return printed;
    const texts = await textsOf(filesRead(printed.value.stderr));
    const hostLines = texts === null ? null : hostLinesOf(texts);
    const answers: Reading['answers'] = new Map();
    if (hostLines !== null && endpoint.alias === endpoint.alias.toLowerCase()) {
      const answer = answerForOthers(printed.value.stdout, endpoint.alias);
      answers.set(vectorOf(hostLines, endpoint.alias), Promise.resolve(ok(answer)));
    }
    expires = clock.now() + limits.configSharedMs;
    return ok({ hostLines, answers });
  };
  const reading = async (endpoint: Endpoint): Promise<Result<Reading, SshError>> => {
    if (current === null || clock.now() >= expires) {
      expires = Number.POSITIVE_INFINITY;
      current = read(endpoint);
    }
    const mine = current;
    const done = await mine;
    // A failure belongs to the host that was asked about: the next one asks anew.
    if (!done.ok && current === mine) current = null;
    return done;
  };
  const learn = async (endpoint: Endpoint): Promise<Answer> => {
    const printed = await ask(bare(endpoint), closing);
    return printed.ok ? ok(answerForOthers(printed.value.stdout, endpoint.alias)) : printed;
  };

  return {
    output: async (endpoint, signal) => {
      const { alias } = endpoint;
      const known = await reading(endpoint);
      if (!known.ok || known.value.hostLines === null || alias !== alias.toLowerCase())
        return own(endpoint, signal);
      const { hostLines, answers } = known.value;
      const vector = vectorOf(hostLines, alias);
      const learnt = answers.get(vector) ?? learn(endpoint);
      answers.set(vector, learnt);
      const answer = await learnt;
      if (!answer.ok) answers.delete(vector);
      if (!answer.ok || answer.value === null) return own(endpoint, signal);
      if (signal?.aborted === true) return own(endpoint, signal);
      return ok(withOverrides(answer.value(alias), endpoint));
    },
  };
};
