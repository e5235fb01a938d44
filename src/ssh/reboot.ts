import type { SshError } from '../ports.ts';

/**
 * Whether this failure is to be expected of a machine on its way down or up, so that waiting goes on. Refused, reset,
 * no route and an early end are sshd not yet there; refused authentication is pam_nologin, or home directories that
 * are not mounted yet. A host key that is another, unknown or revoked will not change by waiting, nor will a
 * configuration that cannot be read.
 */
export const isTransientDuringReboot = (error: SshError): boolean => {
  switch (error.kind) {
    case 'unreachable':
    case 'timeout':
    case 'auth':
    case 'channel':
    case 'disconnected':
      return true;
    case 'protocol':
    case 'hostkey-mismatch':
    case 'hostkey-unknown':
    case 'hostkey-revoked':
    case 'hostkey-ca-only':
    case 'config':
    case 'cancelled':
    case 'output-limit':
      return false;
  }
};
