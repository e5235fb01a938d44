import ssh2 from 'ssh2';

/** A fresh key pair as OpenSSH writes it. `blob` is the public key as it goes over the wire. */
export type TestKey = { readonly private: string; readonly public: string; readonly blob: Buffer };

export const newKey = (comment = 'test'): TestKey => {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return { private: pair.private, public: pair.public, blob: blobOf(pair.public) };
};

export const newEncryptedKey = (passphrase: string): TestKey => {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 1 });
  return { private: pair.private, public: pair.public, blob: blobOf(pair.public) };
};

export const blobOf = (publicLine: string): Buffer => Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');

/** `TYPE BASE64`, as it stands in known_hosts. */
export const keyField = (key: TestKey): string => key.public.split(' ').slice(0, 2).join(' ');
