import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import ssh2, { type ParsedKey } from 'ssh2';
import { readBounded, versionOf } from './bounded-file.ts';
import { decodeKey } from './known-hosts.ts';

/** What one IdentityFile gives: a private key to sign with, or at least the public key that names one in an agent. */
export type Identity = {
  readonly path: string;
  readonly privateKey: ParsedKey | null;
  /** Public key blob, where it could be learnt. */
  readonly publicKey: Buffer | null;
  /** Why the private key cannot be used, or null. */
  readonly problem: string | null;
};

const magic = Buffer.from('openssh-key-v1\0', 'latin1');
const lengthBytes = 4;

/** The public key in the clear part of an OpenSSH private key, which is readable even when the rest is encrypted. */
export const publicPartOf = (text: string): Buffer | null => {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----(?<body>[A-Za-z0-9+/=\s]+)-----END/u.exec(text)?.groups
    ?.body;
  if (body === undefined) return null;
  const bytes = Buffer.from(body, 'base64');
  if (!bytes.subarray(0, magic.length).equals(magic)) return null;
  let at = magic.length;
  const readString = (): Buffer | null => {
    if (at + lengthBytes > bytes.length) return null;
    const length = bytes.readUInt32BE(at);
    at += lengthBytes;
    if (length > bytes.length - at) return null;
    const value = bytes.subarray(at, at + length);
    at += length;
    return value;
  };
  // cipher, key derivation, its options; then the number of keys, which OpenSSH keeps at one
  for (let skipped = 0; skipped < 3; skipped += 1) if (readString() === null) return null;
  if (at + lengthBytes > bytes.length || bytes.readUInt32BE(at) !== 1) return null;
  at += lengthBytes;
  return readString();
};

const publicFileKey = (text: string): Buffer | null => {
  const [keyType, keyText] = text.trim().split(/\s+/u);
  return keyType === undefined || keyText === undefined ? null : decodeKey(keyType, keyText);
};

const isEncrypted = (problem: string): boolean => /encrypted|passphrase/iu.test(problem);

const parse = (path: string, text: string, publicText: string | null): Identity => {
  const fromPublicFile = publicText === null ? null : publicFileKey(publicText);
  const parsed = ssh2.utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    return {
      path,
      privateKey: null,
      publicKey: publicPartOf(text) ?? fromPublicFile ?? publicFileKey(text),
      problem: isEncrypted(key.message)
        ? `${path} is encrypted: add it to an ssh agent (ssh-add ${path})`
        : `${path} cannot be used: ${key.message}`,
    };
  }
  const publicKey: Buffer = key.getPublicSSH();
  if (!key.isPrivateKey())
    return { path, privateKey: null, publicKey, problem: `${path} holds a public key only` };
  return { path, privateKey: key, publicKey, problem: null };
};

const identityOf = (
  path: string,
  file: Awaited<ReturnType<typeof readBounded>>,
  publicText: string | null,
): Identity | null => {
  if (file.ok && file.value !== null) return parse(path, file.value.bytes.toString('utf8'), publicText);
  const publicKey = publicText === null ? null : publicFileKey(publicText);
  if (!file.ok) return { path, privateKey: null, publicKey, problem: file.failure };
  return publicKey === null ? null : { path, privateKey: null, publicKey, problem: null };
};

/**
 * What OpenSSH ignores is not used here either: Nix copies with OpenSSH, so a run would look at machines and then fail at
 * the first copy. Its rule: a key file of one's own that others may read or write (sshkey_perm_ok).
 */
const openToOthers = async (path: string): Promise<boolean> => {
  try {
    const { uid, mode } = await stat(path);
    return uid === userInfo().uid && (mode & 0o077) !== 0;
  } catch {
    return false;
  }
};

/** Reads identity files, each again only after it changed. Keys stay in memory and go nowhere else. */
export type Identities = {
  /** Null where there is neither the file nor its `.pub`. */
  read(path: string): Promise<Identity | null>;
};

export const createIdentities = (bytesMax: number): Identities => {
  const parsed = new Map<string, { readonly version: string; readonly identity: Identity | null }>();
  const versions = async (path: string): Promise<string> =>
    (await Promise.all([path, `${path}.pub`].map(versionOf))).join(' ');
  return {
    read: async (path) => {
      const tooOpen = await openToOthers(path);
      const version = `${await versions(path)} ${tooOpen}`;
      const before = parsed.get(path);
      if (before?.version === version) return before.identity;
      const [file, publicFile] = await Promise.all([
        readBounded(path, bytesMax),
        readBounded(`${path}.pub`, bytesMax),
      ]);
      const publicText = publicFile.ok ? (publicFile.value?.bytes.toString('utf8') ?? null) : null;
      const found = identityOf(path, file, publicText);
      const identity =
        found?.privateKey != null && tooOpen
          ? {
              ...found,
              privateKey: null,
              problem: `${path} is open to others, and ssh ignores it: chmod 600 ${path}`,
            }
          : found;
      parsed.set(path, { version, identity });
      return identity;
    },
  };
};
