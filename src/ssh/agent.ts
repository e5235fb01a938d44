import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock } from '../ports.ts';
import { messageOf, seconds } from './errors.ts';
import { within } from './wait.ts';

/**
 * What an ssh agent holds, each key with an agent that offers it alone. Keys that ssh2 cannot use are left out. `hangUp` ends
 * what waits for the agent, which may ask a person before it signs.
 */
export type AgentKey = { readonly key: ParsedKey; readonly agent: BaseAgent; readonly hangUp: () => void };

const keysMax = 64;

/** The agent behind a socket. ssh2 itself would wait for its answers for ever. */
const agentAt = (socket: string): { readonly agent: ssh2.OpenSSHAgent; readonly hangUp: () => void } => {
  const agent = new ssh2.OpenSSHAgent(socket);
  const streams: { destroy(): void }[] = [];
  let over = false;
  const getStream = agent.getStream.bind(agent);
  Object.assign(agent, {
    getStream: (give: Parameters<typeof getStream>[0]) =>
      getStream((error, stream) => {
        if (over) stream?.destroy();
        else if (stream !== undefined) streams.push(stream);
        give(error, stream);
      }),
  });
  return {
    agent,
    hangUp: () => {
      over = true;
      for (const stream of streams) stream.destroy();
    },
  };
};

/** An agent that has only this key to offer; signing still goes to the real one. */
const offering = (socket: string, key: ParsedKey): AgentKey => {
  const { agent, hangUp } = agentAt(socket);
  Object.assign(agent, {
    getIdentities: (give: (error: Error | undefined, keys?: ParsedKey[]) => void) => give(undefined, [key]),
  });
  return { key, agent, hangUp };
};

/** Asks the agent for its keys. The failure is a sentence; the socket to an agent that hangs is closed. */
export const agentKeys = async (
  socket: string,
  options: { readonly clock: Clock; readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<Result<readonly AgentKey[], string>> => {
  const { agent, hangUp } = agentAt(socket);
  const asked = new Promise<Result<readonly ParsedKey[], string>>((resolve) => {
    agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) resolve(fail(messageOf(error)));
      else resolve(ok((keys ?? []).filter((key) => 'getPublicSSH' in key)));
    });
  });
  const answer = await within(asked, options);
  hangUp();
  if (answer.kind !== 'done') return fail(`no answer within ${seconds(options.deadlineMs)}`);
  if (!answer.value.ok) return answer.value;
  return ok(answer.value.value.slice(0, keysMax).map((key) => offering(socket, key)));
};
