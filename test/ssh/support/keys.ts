import ssh2 from 'ssh2';

/** A fresh key pair as OpenSSH writes it. `blob` is the public key as it goes over the wire. */
export type TestKey = { readonly private: string; readonly public: string; readonly blob: Buffer };

export const newKey = (comment = 'test'): TestKey =>
  wellFormed(() => ssh2.utils.generateKeyPairSync('ed25519', { comment }));

export const newEncryptedKey = (passphrase: string): TestKey =>
  wellFormed(() =>
    ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 1 }),
  );

/** Length fields, `ssh-ed25519` and 32 bytes. */
const blobLength = 4 + 11 + 4 + 32;

/** ssh2 drops a leading zero byte, so that one key in some hundreds is a byte short and no key at all. */
const wellFormed = (make: () => { readonly private: string; readonly public: string }): TestKey => {
  for (;;) {
    const pair = make();
    const blob = blobOf(pair.public);
    if (blob.length === blobLength) return { ...pair, blob };
  }
};

export const blobOf = (publicLine: string): Buffer => Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');

/** `TYPE BASE64`, as it stands in known_hosts. */
export const keyField = (key: TestKey): string => key.public.split(' ').slice(0, 2).join(' ');
