import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock } from '../ports.ts';
import { messageOf, seconds } from './errors.ts';
import { within } from './wait.ts';

/** What an ssh agent holds, each key with an agent that offers it alone. Keys that ssh2 cannot use are left out. */
export type AgentKey = { readonly key: ParsedKey; readonly agent: BaseAgent };

const keysMax = 64;

/** An agent that has only this key to offer; signing still goes to the real one. */
const offering = (socket: string, key: ParsedKey): BaseAgent =>
  Object.assign(new ssh2.OpenSSHAgent(socket), {
    getIdentities: (give: (error: Error | undefined, keys?: ParsedKey[]) => void) => give(undefined, [key]),
  });

/** Asks the agent for its keys. The failure is a sentence; the socket to an agent that hangs is closed. */
export const agentKeys = async (
  socket: string,
  options: { readonly clock: Clock; readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<Result<readonly AgentKey[], string>> => {
  const agent = new ssh2.OpenSSHAgent(socket);
  const streams: { destroy(): void }[] = [];
  const getStream = agent.getStream.bind(agent);
  Object.assign(agent, {
    getStream: (give: Parameters<typeof getStream>[0]) =>
      getStream((error, stream) => {
        if (stream !== undefined) streams.push(stream);
        give(error, stream);
      }),
  });
  const asked = new Promise<Result<readonly ParsedKey[], string>>((resolve) => {
    agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) resolve(fail(messageOf(error)));
      else resolve(ok((keys ?? []).filter((key) => 'getPublicSSH' in key)));
    });
  });
  const answer = await within(asked, options);
  for (const stream of streams) stream.destroy();
  if (answer.kind !== 'done') return fail(`no answer within ${seconds(options.deadlineMs)}`);
  if (!answer.value.ok) return answer.value;
  return ok(answer.value.value.slice(0, keysMax).map((key) => ({ key, agent: offering(socket, key) })));
};
