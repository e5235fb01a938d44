import { describe, expect, test } from 'vitest';
import type { SshError } from '../../src/ports.ts';
import { codeOf, isTransientDuringReboot, socketProblem, sshError } from '../../src/ssh/errors.ts';

const kinds: Record<SshError['kind'], { readonly retryable: boolean; readonly transient: boolean }> = {
  unreachable: { retryable: true, transient: true },
  timeout: { retryable: true, transient: true },
  channel: { retryable: true, transient: true },
  disconnected: { retryable: true, transient: true },
  auth: { retryable: false, transient: true },
  protocol: { retryable: false, transient: false },
  'hostkey-mismatch': { retryable: false, transient: false },
  'hostkey-unknown': { retryable: false, transient: false },
  'hostkey-revoked': { retryable: false, transient: false },
  'hostkey-ca-only': { retryable: false, transient: false },
  config: { retryable: false, transient: false },
  cancelled: { retryable: false, transient: false },
  'output-limit': { retryable: false, transient: false },
};
const errorOf = (kind: SshError['kind'], message = 'm'): SshError =>
  sshError({ kind, host: 'nas', phase: 'tcp', message, remedy: 'r' });

describe('errors', () => {
  test.each(Object.entries(kinds))('%s', (kind, expected) => {
    const error = errorOf(kind as SshError['kind']);
    expect(error.retryable).toBe(expected.retryable);
    expect(isTransientDuringReboot(error)).toBe(expected.transient);
    expect(error.dispatched).toBe(false);
  });

  test('hold no control characters of a server, and no novels', () => {
    const { message } = errorOf('protocol', `\u001b[31mred\u001b[0m\n\u0007${'x'.repeat(5_000)}`);
    expect(message).toMatch(/^redx+…$/u);
    expect(message.length).toBeLessThanOrEqual(600);
  });

  test.each([
    ['ECONNREFUSED', 'connection refused'],
    ['ECONNRESET', 'connection reset'],
    ['EHOSTUNREACH', 'no route to it'],
    ['ENETUNREACH', 'no route to it'],
    ['ENOTFOUND', 'name not found'],
    ['EAI_AGAIN', 'name not found'],
    ['ETIMEDOUT', 'no answer (the system gave up waiting)'],
    ['ESTRANGE', 'ESTRANGE'],
  ])('%s is said in words', (code, what) => {
    expect(socketProblem(Object.assign(new Error('x'), { code })).what).toBe(what);
  });

  test('of several addresses are known by the first', () => {
    expect(codeOf(new AggregateError([Object.assign(new Error('x'), { code: 'EHOSTUNREACH' })]))).toBe(
      'EHOSTUNREACH',
    );
    expect(codeOf('text')).toBeNull();
  });
});
