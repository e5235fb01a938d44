import { type IncomingMessage, request } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { HealthCheck } from '../fleet/machine.ts';
import { type Dial, wordsFor } from './dial.ts';
import { failed, type Probe, passed, untold } from './reading.ts';
import { type TryOptions, within } from './within.ts';

type HttpCheck = Extract<HealthCheck, { type: 'http' }>;

/** How much of a body is searched for the expected text, in UTF-16 units. */
const bodyLengthMax = 1024 * 1024;

const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '::1' ||
  (isIP(host) === 4 && host.startsWith('127.'));

/**
 * One GET over a connection of its own. Redirects are not followed: the status is compared as it comes, so a check of
 * a page that redirects expects the 301 or names the page behind it.
 *
 * https: the certificate is verified against the authorities Node knows (`NODE_EXTRA_CA_CERTS` adds the lab's own),
 * except for `localhost` and loopback addresses: nobody issues certificates for those, and the connection does not
 * leave the machine, or leaves it inside ssh.
 */
export const probeHttp = (check: HttpCheck, dial: Dial, options: TryOptions): Promise<Probe> =>
  within(options, async (signal) => {
    const url = new URL(check.url);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const dialled = await dial(host, port, { deadlineMs: options.deadlineMs, signal });
    if (!dialled.ok) return dialled.failure;
    const channel = dialled.value;
    // An error after the answer, or after the deadline, concerns nobody.
    channel.on('error', () => {});
    try {
      if (signal.aborted) return untold('cancelled');
      return await exchange(check, url, url.protocol === 'https:' ? secured(channel, host) : channel, signal);
    } finally {
      channel.destroy();
    }
  });

const secured = (channel: Duplex, host: string): Duplex =>
  connectTls({
    socket: channel,
    host,
    // An address is no server name (RFC 6066); the certificate is then compared with `host`.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: !isLoopback(host),
    ALPNProtocols: ['http/1.1'],
  });

const exchange = (check: HttpCheck, url: URL, stream: Duplex, signal: AbortSignal): Promise<Probe> =>
  new Promise((resolve) => {
    const onError = (error: Error): void =>
      resolve(signal.aborted ? untold('cancelled') : failed(troubleIn(error)));
    stream.on('error', onError);
    const get = request({
      // Without `agent`, which would be asked for a connection instead.
      createConnection: () => stream,
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        accept: '*/*',
        connection: 'close',
        'user-agent': 'lab',
        ...authorization(url),
      },
      signal,
    });
    get.on('error', onError);
    get.on('response', (response) => {
      response.on('error', onError);
      judge(check, response, resolve);
    });
    get.end();
  });

const judge = (check: HttpCheck, response: IncomingMessage, answer: (probe: Probe) => void): void => {
  const status = response.statusCode ?? 0;
  if (status !== check.expectedStatus) {
    const to = response.headers.location === undefined ? '' : ` to ${response.headers.location}`;
    answer(failed(`HTTP ${status}${to}, expected ${check.expectedStatus}`));
    return;
  }
  const wanted = check.expectedBody ?? '';
  if (wanted === '') {
    answer(passed(`HTTP ${status}`));
    return;
  }
  let tail = '';
  let read = 0;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const seen = tail + chunk;
    read += chunk.length;
    if (seen.includes(wanted)) answer(passed(`HTTP ${status}, the body contains “${wanted}”`));
    else if (read > bodyLengthMax) {
      answer(failed(`HTTP ${status}, the first MiB of the body lacks “${wanted}”`));
      response.destroy();
    }
    tail = seen.slice(Math.max(0, seen.length - wanted.length + 1));
  });
  response.on('end', () => answer(failed(`HTTP ${status}, the body lacks “${wanted}”`)));
};

/** `user:password@` in the address, as Basic authentication. */
const authorization = (url: URL): { authorization?: string } => {
  if (url.username === '' && url.password === '') return {};
  const plain = `${unescaped(url.username)}:${unescaped(url.password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` };
};

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const troubleIn = (error: Error & { readonly code?: unknown }): string => {
  const code = typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return `its certificate is not accepted: ${error.message} (${code})`;
  if (error.message === 'socket hang up' || error.message === 'aborted')
    return 'the connection was closed without an answer';
  return wordsFor(error);
};
