import type { ServerHostKeyAlgorithm } from 'ssh2';

/** Host key algorithms that ssh2 can do, with the key type each proves. SHA-1 signatures only where a person asked. */
const supported: readonly { readonly algorithm: ServerHostKeyAlgorithm; readonly keyType: string }[] = [
  { algorithm: 'ssh-ed25519', keyType: 'ssh-ed25519' },
  { algorithm: 'ecdsa-sha2-nistp256', keyType: 'ecdsa-sha2-nistp256' },
  { algorithm: 'ecdsa-sha2-nistp384', keyType: 'ecdsa-sha2-nistp384' },
  { algorithm: 'ecdsa-sha2-nistp521', keyType: 'ecdsa-sha2-nistp521' },
  { algorithm: 'rsa-sha2-512', keyType: 'ssh-rsa' },
  { algorithm: 'rsa-sha2-256', keyType: 'ssh-rsa' },
  { algorithm: 'ssh-rsa', keyType: 'ssh-rsa' },
];

/**
 * What to offer the server: only what HostKeyAlgorithms allows, the types already known for the host first, so that a
 * server with several keys shows the one that can be checked. Other types stay on offer: a server whose key changed
 * is then told as such, not as a failed negotiation (which no type on offer could pass either).
 */
export const hostKeyAlgorithms = (
  allowed: readonly string[],
  knownTypes: readonly string[],
): readonly ServerHostKeyAlgorithm[] => {
  const usable = supported.filter(({ algorithm }) =>
    allowed.length === 0 ? algorithm !== 'ssh-rsa' : allowed.includes(algorithm),
  );
  const isKnown = ({ keyType }: { readonly keyType: string }): boolean => knownTypes.includes(keyType);
  return [...usable.filter(isKnown), ...usable.filter((entry) => !isKnown(entry))].map(
    ({ algorithm }) => algorithm,
  );
};
