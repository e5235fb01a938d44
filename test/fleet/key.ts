import ssh2 from 'ssh2';

/** A pair as OpenSSH writes it; `open` is the line of an authorized_keys or known_hosts file. */
export type Key = { readonly secret: string; readonly open: string };

/** Bytes of the blob of an ed25519 public key: its type's name and the key itself, each after its length. */
const publicBlobBytes = 4 + 'ssh-ed25519'.length + 4 + 32;

/**
 * A new ed25519 key. ssh2 cuts a zero byte off the front of one key in 256, which then no ssh can read: such a one is
 * thrown away.
 */
export const newKey = (comment: string): Key => {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    const key = { secret: pair.private, open: pair.public.trim() };
    const blob = Buffer.from(key.open.split(' ')[1] ?? '', 'base64');
    if (blob.length === publicBlobBytes && !(ssh2.utils.parseKey(key.secret) instanceof Error)) return key;
  }
};
