import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fail } from '../../src/failure.ts';
import type { HealthCheck } from '../../src/fleet/machine.ts';
import { type Dial, dialFromHere } from '../../src/health/dial.ts';
import { probeHttp } from '../../src/health/http.ts';
import { failed, untold } from '../../src/health/reading.ts';
import { realClock } from '../remote/clocks.ts';
import { selfSigned } from './certificate.ts';
import { closedPort, dialTo, listening, tcpServer } from './servers.ts';

type HttpCheck = Extract<HealthCheck, { type: 'http' }>;
const check = (set: Partial<HttpCheck> = {}): HttpCheck => ({
  type: 'http',
  name: null,
  from: 'target',
  timeoutSeconds: 10,
  retries: 0,
  intervalSeconds: 1,
  url: 'http://localhost:8080/',
  expectedStatus: 200,
  expectedBody: null,
  ...set,
});
const options = { clock: realClock, deadlineMs: 10_000 };

const toClose: (() => void)[] = [];
afterEach(() => {
  for (const close of toClose.splice(0)) close();
});

/** An HTTP server, and a way to it that is no socket. */
const serving = async (answer: RequestListener) => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  const port = await listening(server);
  toClose.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port, requests, ...dialTo(port) };
};
const talking = async (...args: Parameters<typeof tcpServer>) => {
  const server = await tcpServer(...args);
  toClose.push(server.close);
  return dialTo(server.port);
};

describe('an http check through a stream of the ssh connection', () => {
  it('asks once for the page, as named in its address, and passes on the expected status', async () => {
    const { dial, asked, requests, opened } = await serving((_request, response) => response.end('fine'));
    const probe = await probeHttp(check({ url: 'http://localhost:3000/health?deep=1#top' }), dial, options);
    expect(probe).toEqual({ verdict: 'passed', evidence: 'HTTP 200' });
    expect(asked).toEqual(['localhost 3000']);
    expect(
      requests.map(({ method, url, headers }) => [method, url, headers.host, headers.connection]),
    ).toEqual([['GET', '/health?deep=1', 'localhost:3000', 'close']]);
    expect(opened[0]?.destroyed).toBe(true);
  });

  it.each([
    ['http://nas/', 'nas 80', 'nas'],
    ['http://[::1]:81/', '::1 81', '[::1]:81'],
  ])('knows host and port of %s', async (url, dialled, hostHeader) => {
    const { dial, asked, requests } = await serving((_request, response) => response.end());
    await probeHttp(check({ url }), dial, options);
    expect(asked).toEqual([dialled]);
    expect(requests[0]?.headers.host).toBe(hostHeader);
  });

  it('sends the credentials of the address', async () => {
    const { dial, requests } = await serving((_request, response) => response.end());
    await probeHttp(check({ url: 'http://user:p%40ss@localhost/' }), dial, options);
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });

  it('fails on another status, and names both', async () => {
    const { dial } = await serving((_request, response) => response.writeHead(502).end());
    expect(await probeHttp(check(), dial, options)).toEqual({
      verdict: 'failed',
      evidence: 'HTTP 502, expected 200',
    });
  });

  it('follows no redirect', async () => {
    const { dial, requests } = await serving((_request, response) =>
      response.writeHead(302, { location: 'https://elsewhere/login' }).end(),
    );
    expect(await probeHttp(check(), dial, options)).toEqual({
      verdict: 'failed',
      evidence: 'HTTP 302 to https://elsewhere/login, expected 200',
    });
    expect((await probeHttp(check({ expectedStatus: 302 }), dial, options)).verdict).toBe('passed');
    expect(requests).toHaveLength(2);
  });

  it('finds the expected text where two pieces of the body meet, and does not wait for the end', async () => {
    const { dial } = await serving((_request, response) => {
      response.write('{"status": "o');
      setImmediate(() => response.write('k"} and so on for ever'));
    });
    expect(await probeHttp(check({ expectedBody: '"ok"' }), dial, options)).toEqual({
      verdict: 'passed',
      evidence: 'HTTP 200, the body contains “"ok"”',
    });
  });

  it('fails when the body lacks the text', async () => {
    const { dial } = await serving((_request, response) => response.end('maintenance'));
    expect(await probeHttp(check({ expectedBody: 'x' }), dial, options)).toEqual({
      verdict: 'failed',
      evidence: 'HTTP 200, the body lacks “x”',
    });
  });

  it('reads no more than a MiB of a body without end', async () => {
    const { dial } = await serving((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('a'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    expect(await probeHttp(check({ expectedBody: 'needle' }), dial, options)).toEqual({
      verdict: 'failed',
      evidence: 'HTTP 200, the first MiB of the body lacks “needle”',
    });
  });

  it('fails at its deadline when the server stays silent, and lets go of the stream', async () => {
    const { dial, opened } = await talking(() => {});
    expect(await probeHttp(check(), dial, { ...options, deadlineMs: 100 })).toEqual({
      verdict: 'failed',
      evidence: 'no answer within 0.1 s',
    });
    await vi.waitFor(() => expect(opened[0]?.destroyed).toBe(true), { timeout: 30_000 });
  });

  it.each([
    ['closes at once', 'end' as const, 'the connection was closed without an answer'],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.2\r\n' as const, /^the answer is not HTTP \(HPE_/],
  ])('fails when the server %s', async (_what, act, evidence) => {
    const { dial } = await talking((socket) => {
      if (act === 'end') socket.end();
      else socket.write(act);
    });
    const probe = await probeHttp(check(), dial, options);
    expect(probe).toEqual({ verdict: 'failed', evidence: expect.stringMatching(evidence) });
  });

  it('says what the dialling said: failed is failed, unknown is unknown', async () => {
    const refusing: Dial = async () => fail(failed('connection refused'));
    expect(await probeHttp(check(), refusing, options)).toEqual(failed('connection refused'));
    const away: Dial = async () => fail(untold('the ssh connection was lost'));
    expect(await probeHttp(check(), away, options)).toEqual(untold('the ssh connection was lost'));
  });

  it('is unknown when it was cancelled', async () => {
    const abort = new AbortController();
    const { dial, opened } = await talking(() => abort.abort());
    expect(await probeHttp(check(), dial, { ...options, signal: abort.signal })).toEqual(untold('cancelled'));
    await vi.waitFor(() => expect(opened[0]?.destroyed).toBe(true), { timeout: 30_000 });
  });
});

describe('an http check from the orchestrator', () => {
  it('connects by itself', async () => {
    const { port } = await serving((_request, response) => response.end());
    const probe = await probeHttp(check({ url: `http://127.0.0.1:${port}/` }), dialFromHere, options);
    expect(probe).toEqual({ verdict: 'passed', evidence: 'HTTP 200' });
  });

  it('fails on a port that refuses', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    expect(await probeHttp(check({ url }), dialFromHere, options)).toEqual(failed('connection refused'));
  });
});

describe('an https check', () => {
  const secure = async (certifiedName: string) => {
    const pair = selfSigned(certifiedName);
    const server = createTlsServer(pair, (_request, response) => response.end('secret'));
    const port = await listening(server);
    toClose.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return { ...dialTo(port), cert: pair.cert };
  };

  it.each(['https://localhost:8443/', 'https://127.0.0.1/', 'https://[::1]/'])(
    'takes any certificate of the machine’s own %s',
    async (url) => {
      const { dial } = await secure('something.else');
      expect(await probeHttp(check({ url, expectedBody: 'secret' }), dial, options)).toMatchObject({
        verdict: 'passed',
      });
    },
  );

  it('dials 443 unless told otherwise, and refuses a certificate nobody vouches for', async () => {
    const { dial, asked } = await secure('nas.lab');
    expect(await probeHttp(check({ url: 'https://nas.lab/' }), dial, options)).toEqual({
      verdict: 'failed',
      evidence: expect.stringMatching(/^its certificate is not accepted: .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)$/),
    });
    expect(asked).toEqual(['nas.lab 443']);
  });

  describe('with an authority that Node was told to trust', () => {
    const before = getCACertificates('default');
    afterEach(() => setDefaultCACertificates(before));

    it('passes for the name on the certificate, and for no other', async () => {
      const { dial, cert } = await secure('nas.lab');
      setDefaultCACertificates([...before, cert]);
      expect(await probeHttp(check({ url: 'https://nas.lab/' }), dial, options)).toMatchObject({
        verdict: 'passed',
      });
      expect(await probeHttp(check({ url: 'https://cloud.lab/' }), dial, options)).toEqual({
        verdict: 'failed',
        evidence: expect.stringMatching(
          /^its certificate is not accepted: .*\(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
        ),
      });
      expect(await probeHttp(check({ url: 'https://192.0.2.1/' }), dial, options)).toMatchObject({
        verdict: 'failed',
      });
    });
  });

  it('fails on a server that speaks no TLS', async () => {
    const { dial } = await talking((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    expect(await probeHttp(check({ url: 'https://localhost/' }), dial, options)).toMatchObject({
      verdict: 'failed',
    });
  });
});
