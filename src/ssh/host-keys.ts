import { createHash } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import type { SshError } from '../ports.ts';
import { readBounded, versionOf } from './bounded-file.ts';
import type { SshConfig } from './config.ts';
import { sshError } from './errors.ts';
import { hostKeyAlgorithms } from './host-key-algorithms.ts';
import {
  decodeKey,
  type HostKeyNames,
  type HostKeyVerdict,
  hostKeyNames,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownKeyTypes,
  parseKnownHosts,
  selectKnownHosts,
} from './known-hosts.ts';
import { recordHostKey } from './known-hosts-record.ts';
import type { SshLimits } from './limits.ts';

/** strict: a host must be known · accept-new: a host of which no line speaks is written down and accepted. */
export type KnownHostsPolicy = 'strict' | 'accept-new';

/** How one server's host keys are checked. */
export type HostKeyCheck = {
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** For the first key of a connection: null when it is the host's. */
  verify(key: Buffer): Promise<SshError | null>;
  /**
   * For the keys of later key exchanges: whether it is the one that was accepted. At once, because ssh2 sends data
   * between the exchange and a late verdict, which OpenSSH ends the connection for. Null before the first verdict.
   */
  again(key: Buffer): { readonly problem: SshError | null } | null;
};

const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/u, '')}`;

type Asked = { readonly host: string; readonly names: HostKeyNames; readonly recordIn: string | null };

const refusal = (
  verdict: Exclude<HostKeyVerdict, { kind: 'known' }>,
  asked: Asked,
  key: Buffer,
): SshError => {
  const { host, names } = asked;
  const shown = `${keyTypeOf(key) ?? 'unreadable'} key ${fingerprintOf(key)}`;
  const common = { host, phase: 'handshake' as const };
  switch (verdict.kind) {
    case 'mismatch':
      return sshError({
        ...common,
        kind: 'hostkey-mismatch',
        message: `${names.name} showed the ${shown}, not the one in ${verdict.at.file}:${verdict.at.line}`,
        remedy: `Someone may be in between, or the machine was installed anew. If you know why it changed: ssh-keygen -R '${names.name}' -f ${verdict.at.file}`,
      });
    case 'revoked':
      return sshError({
        ...common,
        kind: 'hostkey-revoked',
        message: `${names.name} showed the ${shown}, which ${verdict.at.file}:${verdict.at.line} revokes`,
        remedy: 'Give the machine a new host key and make it known; do not remove the revocation.',
      });
    case 'ca-only':
      return sshError({
        ...common,
        kind: 'hostkey-ca-only',
        message: `${names.name} is known only through a certificate authority (${verdict.at.file}:${verdict.at.line}), and lab cannot check host certificates`,
        remedy: `Add the host's own key, after comparing ${fingerprintOf(key)} on the machine: ssh-keyscan ${names.name.startsWith('[') ? '-p PORT HOST' : names.name}`,
      });
    case 'behind-mark':
      return sshError({
        ...common,
        kind: 'hostkey-unknown',
        message: `${names.name} showed the ${shown}; the line that speaks of it, ${verdict.at.file}:${verdict.at.line}, begins with a byte order mark, and ssh cannot read it for that`,
        remedy: `Save the file as UTF-8 without a byte order mark: sed -i '1s/^\\xEF\\xBB\\xBF//' ${verdict.at.file}`,
      });
    case 'unknown':
      return sshError({
        ...common,
        kind: 'hostkey-unknown',
        message: `${names.name} showed the ${shown}, and no known_hosts line speaks of ${names.name}`,
        remedy: `Compare the fingerprint on the machine, then make it known by logging in once with ssh${asked.recordIn === null ? '' : ` (it goes to ${asked.recordIn})`}, or let lab accept new hosts.`,
      });
  }
};

/** Public keys of a RevokedHostKeys text file, one to a line. */
const parseRevoked = (path: string, bytes: Buffer): Result<readonly KnownHost[], string> => {
  if (bytes.subarray(0, 6).toString('latin1') === 'SSHKRL') {
    return fail(
      `RevokedHostKeys ${path} is a binary revocation list, which lab cannot read (a list of public keys works)`,
    );
  }
  const lines = bytes.toString('utf8').split(/\r?\n/u);
  return ok(
    lines.flatMap((text, index) => {
      const [keyType, keyText] = text.trim().split(/\s+/u);
      const key = keyType === undefined || keyText === undefined ? null : decodeKey(keyType, keyText);
      if (keyType === undefined || key === null) return [];
      const hosts = { kind: 'patterns' as const, patterns: ['*'] };
      return [{ file: path, line: index + 1, marker: 'revoked' as const, hosts, keyType, key }];
    }),
  );
};

/** Reads known_hosts files, each parsed again only after it changed. */
export type HostKeys = {
  /** What is known of the host that `config` describes. `host` is its name in messages. */
  prepare(config: SshConfig, host: string): Promise<Result<HostKeyCheck, SshError>>;
};

export const createHostKeys = (policy: KnownHostsPolicy, limits: SshLimits): HostKeys => {
  const parsed = new Map<string, { readonly version: string; readonly lines: readonly KnownHost[] }>();

  const linesOf = async (
    path: string,
    parse: (path: string, bytes: Buffer) => Result<readonly KnownHost[], string>,
  ): Promise<Result<readonly KnownHost[], string>> => {
    const before = parsed.get(path);
    if (before !== undefined && before.version === (await versionOf(path))) return ok(before.lines);
    const read = await readBounded(path, limits.knownHostsBytesMax);
    if (!read.ok) return read;
    if (read.value === null) return ok([]);
    const lines = parse(path, read.value.bytes);
    if (!lines.ok) return lines;
    if (lines.value.length > limits.knownHostsLinesMax)
      return fail(`${path} has more than ${limits.knownHostsLinesMax} lines`);
    parsed.set(path, { version: read.value.version, lines: lines.value });
    return lines;
  };

  const allLines = async (config: SshConfig): Promise<Result<readonly KnownHost[], string>> => {
    const files = [...new Set([...config.userKnownHostsFiles, ...config.globalKnownHostsFiles])];
    const read = await Promise.all([
      ...files.map((path) =>
        linesOf(path, (name, bytes) => ok(parseKnownHosts(name, bytes.toString('utf8')))),
      ),
      ...(config.revokedHostKeysFile === null ? [] : [linesOf(config.revokedHostKeysFile, parseRevoked)]),
    ]);
    const all: (readonly KnownHost[])[] = [];
    for (const part of read) {
      if (!part.ok) return part;
      all.push(part.value);
    }
    return ok(all.flat());
  };

  // Two first connections to one host must not both find it unknown and accept two different keys.
  let recording: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = recording.then(work);
    recording = mine;
    return mine;
  };

  return {
    prepare: async (config, host) => {
      const unusable = (why: string): SshError =>
        sshError({
          kind: 'config',
          host,
          phase: 'config',
          message: `the host key of ${host} cannot be checked: ${why}`,
          remedy: 'Repair the file, or the option of the ssh configuration that names it.',
        });
      const names = hostKeyNames(config.hostname, config.port, config.hostKeyAlias);
      const lines = await allLines(config);
      if (!lines.ok) return fail(unusable(lines.failure));
      const selection = selectKnownHosts(lines.value, names);
      const algorithms = hostKeyAlgorithms(config.hostKeyAlgorithms, knownKeyTypes(selection));
      if (algorithms.length === 0)
        return fail(
          unusable(`HostKeyAlgorithms allows none that lab can do: ${config.hostKeyAlgorithms.join(',')}`),
        );
      const recordIn = config.userKnownHostsFiles[0] ?? null;
      const asked = { host, names, recordIn };

      const judge = (verdict: HostKeyVerdict, key: Buffer): SshError | null =>
        verdict.kind === 'known' ? null : refusal(verdict, asked, key);
      const record = async (key: Buffer): Promise<SshError | null> => {
        // Read again: another connection or process may have written a line since this one was begun.
        const now = await allLines(config);
        if (!now.ok) return unusable(now.failure);
        const verdict = judgeHostKey(selectKnownHosts(now.value, names), key);
        const refused = judge(verdict, key);
        if (verdict.kind !== 'unknown' || refused === null) return refused;
        const recorded = await recordHostKey({
          file: recordIn,
          name: names.name,
          key,
          hash: config.hashKnownHosts,
        });
        return recorded.ok
          ? null
          : { ...refused, message: `${refused.message}; it could not be written down: ${recorded.failure}` };
      };
      const mayRecord = policy === 'accept-new' && !config.strictHostKeys;

      let accepted: Buffer | null = null;
      return ok({
        algorithms,
        verify: async (key) => {
          const verdict = judgeHostKey(selection, key);
          const problem =
            verdict.kind === 'unknown' && mayRecord
              ? await oneAtATime(() => record(key))
              : judge(verdict, key);
          if (problem === null) accepted = Buffer.from(key);
          return problem;
        },
        again: (key) => {
          if (accepted === null) return null;
          if (accepted.equals(key)) return { problem: null };
          const problem = sshError({
            kind: 'hostkey-mismatch',
            host,
            phase: 'handshake',
            message: `${names.name} changed its host key within one connection`,
            remedy: 'Do not use this connection; look at the machine and at the network between.',
          });
          return { problem };
        },
      });
    },
  };
};
