import { describe, expect, test } from 'vitest';
import type { SshError } from '../../src/ports.ts';
import { codeOf, socketProblem, sshError } from '../../src/ssh/errors.ts';

const kinds: Record<SshError['kind'], { readonly retryable: boolean }> = {
  unreachable: { retryable: true },
  timeout: { retryable: true },
  channel: { retryable: true },
  disconnected: { retryable: true },
  auth: { retryable: false },
  protocol: { retryable: false },
  'hostkey-mismatch': { retryable: false },
  'hostkey-unknown': { retryable: false },
  'hostkey-revoked': { retryable: false },
  'hostkey-ca-only': { retryable: false },
  config: { retryable: false },
  cancelled: { retryable: false },
  'output-limit': { retryable: false },
};
const errorOf = (kind: SshError['kind'], message = 'm'): SshError =>
  sshError({ kind, host: 'nas', phase: 'tcp', message, remedy: 'r' });

describe('errors', () => {
  test.each(Object.entries(kinds))('%s', (kind, expected) => {
    const error = errorOf(kind as SshError['kind']);
    expect(error.retryable).toBe(expected.retryable);
    expect(error.dispatched).toBe(false);
  });

  test('hold no control characters of a server, and no novels', () => {
    const { message } = errorOf('protocol', `\u001b[31mred\u001b[0m\n\u0007${'x'.repeat(5_000)}`);
    expect(message).toMatch(/^red x+…$/u);
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
