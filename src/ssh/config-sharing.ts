import { ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import type { ProcessResult } from '../process/run.ts';
import { readBounded } from './bounded-file.ts';
import { linesThatMatter } from './config.ts';
import type { Endpoint } from './endpoint.ts';
import { fleetConfigMark } from './fleet-config-mark.ts';
import { matchesHostPatterns } from './host-pattern.ts';
import type { SshLimits } from './limits.ts';

/*
 * A fleet of hundreds would start `ssh -G` hundreds of times to hear the same thing, which costs more than all of its
 * handshakes. What ssh prints depends on a host's name only through the `Host` lines that match it, and through the
 * name itself; so ssh is asked about a name that nobody has, and hosts that match the same lines share the answer.
 * Where that does not hold for certain (a `Match` line, a `%` token, a line ssh may read another way) or a host
 * matches lines of its own, it is asked about that host.
 */

const configFileBytesMax = 1024 * 1024;
const configFilesMax = 256;
const answersMax = 4_096;

/** RFC 2606 keeps `.invalid` free of real hosts. */
const nobody: Endpoint = {
  alias: 'lab-asks-for-nobody.invalid',
  user: null,
  port: null,
  hostname: null,
  jumps: null,
  label: 'no machine in particular',
};

export type HostLines = {
  /** The patterns of every `Host` line, in order. */
  readonly lists: readonly (readonly string[])[];
  /**
   * Hosts of the file that lab itself wrote. Their blocks say what a machine's endpoint says too, so for machines
   * they tell nothing new; a jump host of that name has nothing else.
   */
  readonly machines: ReadonlySet<string>;
};

const line = /^\s*"?(?<keyword>[A-Za-z]+)"?(?:\s*=\s*|\s+)(?<rest>.*)$/u;
/** Options whose `%` tokens this transport never reads. */
const tokensDoNotMatter = new Set(['controlpath', 'localcommand', 'remotecommand']);
const isLiteral = (pattern: string): boolean => !/[*?!]/u.test(pattern);

/** What the files tell hosts apart by, or null where sharing is not safe. */
export const hostLinesOf = (texts: readonly string[]): HostLines | null => {
  const lists: (readonly string[])[] = [];
  const machines = new Set<string>();
  for (const text of texts) {
    const ours = text.startsWith(fleetConfigMark);
    for (const found of text.split('\n').map((written) => line.exec(written)?.groups)) {
      const keyword = found?.keyword?.toLowerCase() ?? '';
      const rest = found?.rest ?? '';
      if (keyword === '' || tokensDoNotMatter.has(keyword)) continue;
      // The only tokens in our own file are percent signs written twice, in HostName.
      if (rest.includes('%') && !(ours && keyword === 'hostname')) return null;
      if (keyword === 'match' || keyword === 'canonicalizehostname') return null;
      if (keyword === 'include' && rest.includes('$')) return null;
      if (keyword !== 'host') continue;
      // Quotes, escapes, comments: ssh may read them another way.
      if (/["'\\#]/u.test(rest)) return null;
      const patterns = rest.split(/\s+/u).filter((pattern) => pattern !== '');
      const [only] = patterns;
      if (ours && patterns.length === 1 && only !== undefined && isLiteral(only)) machines.add(only);
      // ssh tells capitals apart here, the matcher does not.
      else if (/[A-Z]/u.test(rest)) return null;
      else lists.push(patterns);
    }
  }
  return { lists, machines };
};

/** Files that `ssh -v` says it has read; null where that cannot be told for certain. */
export const filesRead = (stderr: string): readonly string[] | null => {
  const paths = [...stderr.matchAll(/^debug1: Reading configuration data (?<path>.*?)\r?$/gmu)].map(
    (match) => match.groups?.path ?? '',
  );
  return paths.length > 0 && paths.every((path) => path.startsWith('/')) ? paths : null;
};

/** The answer as a function of the name, or null where the name shows up in more than its own line. */
export const answerForOthers = (printed: string, alias: string): ((other: string) => string) | null => {
  const own = `hostname ${alias}`;
  const lines = linesThatMatter(printed);
  if (!lines.includes(own)) return null;
  const rest = lines.filter((text) => text !== own);
  if (rest.some((text) => text.toLowerCase().includes(alias))) return null;
  return (other) => [`hostname ${other}`, ...rest].join('\n');
};

/** What `-p` and `-l` would have changed. */
const withOverrides = (printed: string, { port, user }: Endpoint): string => {
  const overridden = (text: string): boolean =>
    (port !== null && text.startsWith('port ')) || (user !== null && text.startsWith('user '));
  return [
    ...(port === null ? [] : [`port ${port}`]),
    ...(user === null ? [] : [`user ${user}`]),
    ...printed.split('\n').filter((text) => !overridden(text)),
  ].join('\n');
};

/** Which `Host` lines match, as text. */
const vectorOf = ({ lists }: HostLines, alias: string): string =>
  lists.map((patterns) => (matchesHostPatterns(alias, patterns) ? '1' : '0')).join('');

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

type Answer = (alias: string) => string;

/** Everything learnt from one reading of the configuration; null where each host must be asked about each time. */
type Reading = {
  readonly hostLines: HostLines;
  /** By which lines match. Null: hosts that match these are asked about one by one. */
  readonly shared: Map<string, Promise<Answer | null>>;
  /** For those, by name. */
  readonly own: Map<string, Promise<Result<string, SshError>>>;
} | null;

export type ConfigSharing = {
  /** What `ssh -G` prints for the endpoint, asked or shared. */
  output(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Result<string, SshError>>;
};

export const createConfigSharing = (deps: {
  readonly ask: (
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
  ) => Promise<Result<ProcessResult, SshError>>;
  readonly clock: Clock;
  readonly limits: SshLimits;
  /** Ends what is asked on behalf of several. */
  readonly closing: AbortSignal;
}): ConfigSharing => {
  const { ask, clock, limits, closing } = deps;
  let current: Promise<Reading> | null = null;
  let expires = 0;

  const read = async (): Promise<Reading> => {
    const printed = await ask(nobody, closing);
    expires = clock.elapsed() + limits.configSharedMs;
    if (!printed.ok) return null;
    const texts = await textsOf(filesRead(printed.value.stderr));
    const hostLines = texts === null ? null : hostLinesOf(texts);
    const common = answerForOthers(printed.value.stdout, nobody.alias);
    if (hostLines === null || common === null) return null;
    const shared = new Map([[vectorOf(hostLines, nobody.alias), Promise.resolve<Answer | null>(common)]]);
    return { hostLines, shared, own: new Map() };
  };
  const reading = (): Promise<Reading> => {
    if (current === null || clock.elapsed() >= expires) {
      expires = Number.POSITIVE_INFINITY;
      current = read();
    }
    return current;
  };
  const askFor = async (
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
  ): Promise<Result<string, SshError>> => {
    const printed = await ask(endpoint, signal);
    return printed.ok ? ok(printed.value.stdout) : printed;
  };

  /** Asks about this host, once; `-p` and `-l` are put in afterwards. */
  const askOnce = ({ own }: NonNullable<Reading>, endpoint: Endpoint): Promise<Result<string, SshError>> => {
    const { alias } = endpoint;
    const before = own.get(alias);
    if (before !== undefined) return before;
    if (own.size >= answersMax) own.clear();
    const asked = askFor({ ...endpoint, port: null, user: null }, closing);
    own.set(alias, asked);
    void asked.then((printed) => {
      if (!printed.ok && own.get(alias) === asked) own.delete(alias);
    });
    return asked;
  };
  const sharedAnswer = (known: NonNullable<Reading>, endpoint: Endpoint): Promise<Answer | null> => {
    const { alias } = endpoint;
    const vector = vectorOf(known.hostLines, alias);
    const before = known.shared.get(vector);
    if (before !== undefined) return before;
    // The first of its kind answers for the others, unless lab's own block for it stands in the way.
    if (known.hostLines.machines.has(alias)) return Promise.resolve(null);
    const answer = askOnce(known, endpoint).then((printed) => {
      if (!printed.ok) known.shared.delete(vector);
      return printed.ok ? answerForOthers(printed.value, alias) : null;
    });
    known.shared.set(vector, answer);
    return answer;
  };

  return {
    output: async (endpoint, signal) => {
      const known = await reading();
      const { alias } = endpoint;
      if (known === null || alias !== alias.toLowerCase()) return askFor(endpoint, signal);
      // A jump host of the fleet, unlike a machine of it, is known by lab's own block alone.
      const blockIsAll = endpoint.hostname === null && known.hostLines.machines.has(alias);
      const answer = blockIsAll ? null : await sharedAnswer(known, endpoint);
      if (answer !== null) return ok(withOverrides(answer(alias), endpoint));
      const printed = await askOnce(known, endpoint);
      return printed.ok ? ok(withOverrides(printed.value, endpoint)) : printed;
    },
  };
};
