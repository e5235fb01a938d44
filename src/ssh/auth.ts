import type { AnyAuthMethod } from 'ssh2';
import type { Clock } from '../ports.ts';
import { type AgentKey, agentKeys } from './agent.ts';
import type { SshConfig } from './config.ts';
import type { Identities, Identity } from './identity-file.ts';
import type { SshLimits } from './limits.ts';

/** One key to offer. `label` names it for people: a path, or the agent and the key's comment. */
export type AuthTry = { readonly label: string; readonly method: AnyAuthMethod };

/** What will be offered to a server, in order, and what will not and why. Nothing here asks a person anything. */
type Offers = { readonly tries: readonly AuthTry[]; readonly notes: readonly string[] };
/** The same, and how to end what it made wait for an agent. */
export type AuthPlan = Offers & { readonly hangUp: () => void };

const samePublicKey = (identity: Identity, { key }: AgentKey): boolean =>
  identity.publicKey !== null && key.getPublicSSH().equals(identity.publicKey);

/**
 * Pure: agent keys that an identity file names, then identity files, then (unless IdentitiesOnly) what else the agent
 * holds. Each key once, and no more than `triesMax`: a server counts every offer, and ends the connection.
 */
export const orderTries = (
  user: string,
  identities: readonly Identity[],
  agent: readonly AgentKey[],
  identitiesOnly: boolean,
  triesMax: number,
): Offers => {
  const named: AuthTry[] = [];
  const files: AuthTry[] = [];
  const notes: string[] = [];
  const offered = new Set<AgentKey>();
  const fromAgent = (entry: AgentKey): AuthTry => ({
    label: `agent key ${entry.key.comment || entry.key.type}`,
    method: { type: 'agent', username: user, agent: entry.agent },
  });
  for (const identity of identities) {
    const held = agent.find((entry) => samePublicKey(identity, entry));
    if (held !== undefined) {
      if (!offered.has(held)) named.push(fromAgent(held));
      offered.add(held);
    } else if (identity.privateKey !== null) {
      files.push({
        label: identity.path,
        method: { type: 'publickey', username: user, key: identity.privateKey },
      });
    } else if (identity.problem !== null) {
      notes.push(identity.problem);
    }
  }
  const rest = identitiesOnly ? [] : agent.filter((entry) => !offered.has(entry)).map(fromAgent);
  const all = [...named, ...files, ...rest];
  if (all.length > triesMax)
    notes.push(
      `${all.length - triesMax} more keys were not offered (set IdentityFile and IdentitiesOnly yes)`,
    );
  return { tries: all.slice(0, triesMax), notes };
};

/** Gathers the keys that the configuration names. Never fails: what is missing becomes a note. */
export const planAuth = async (
  config: SshConfig,
  deps: {
    readonly identities: Identities;
    readonly clock: Clock;
    readonly limits: SshLimits;
    readonly signal: AbortSignal | undefined;
  },
): Promise<AuthPlan> => {
  if (!config.publicKeys) return { tries: [], notes: ['PubkeyAuthentication is off'], hangUp: () => {} };
  const { agentSocket } = config;
  const [read, agent] = await Promise.all([
    Promise.all(config.identityFiles.map((path) => deps.identities.read(path))),
    agentSocket === null
      ? null
      : agentKeys(agentSocket, {
          clock: deps.clock,
          deadlineMs: deps.limits.agentDeadlineMs,
          signal: deps.signal,
        }),
  ]);
  const held = agent?.ok === true ? agent.value : [];
  const { tries, notes } = orderTries(
    config.user,
    read.filter((identity) => identity !== null),
    held,
    config.identitiesOnly,
    deps.limits.authTriesMax,
  );
  const trouble =
    agent === null || agent.ok ? [] : [`the ssh agent at ${agentSocket} is of no use: ${agent.failure}`];
  return {
    tries,
    notes: [...notes, ...trouble],
    hangUp: () => {
      for (const key of held) key.hangUp();
    },
  };
};
