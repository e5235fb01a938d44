import type { HealthCheck } from '../fleet/machine.ts';
import type { SshError } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/** One try of one check. `unknown`: the question could not be put, so nothing was learnt about the answer. */
export type Probe = { readonly verdict: 'passed' | 'failed' | 'unknown'; readonly evidence: string };

const evidenceLengthMax = 240;
const evidenceOf = (text: string): string => sanitiseLine(text, evidenceLengthMax).trim();

export const passed = (evidence: string): Probe => ({ verdict: 'passed', evidence: evidenceOf(evidence) });
export const failed = (evidence: string): Probe => ({ verdict: 'failed', evidence: evidenceOf(evidence) });
export const untold = (evidence: string): Probe => ({ verdict: 'unknown', evidence: evidenceOf(evidence) });

/** “no answer within 1.5 s” */
export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** The check's name, or its kind and aim; says where it runs unless that is the machine itself. */
export const labelOf = (check: HealthCheck): string => {
  if (check.name !== null && check.name !== '') return sanitiseLine(check.name, 100);
  const from = check.from === 'orchestrator' ? ' from the orchestrator' : '';
  return `${sanitiseLine(aimOf(check), 100)}${from}`;
};

const aimOf = (check: HealthCheck): string => {
  switch (check.type) {
    case 'http':
      // Without the credentials it may hold.
      return check.url.replace(/\/\/[^/?#]*@/, '//');
    case 'tcp':
      return `tcp ${check.host.includes(':') ? `[${check.host}]` : check.host}:${check.port}`;
    case 'command':
      return `command ${check.command}`;
    case 'systemd':
      return `unit ${check.unit}`;
  }
};

/**
 * What a failed `dial` says about the port. The port's own answer (refused, no route, no such name) or its silence is
 * a failed check; a connection that never got that far, or a server that forbids forwarding, is not known.
 */
export const probeOfDialError = (error: SshError): Probe => {
  const answered = error.kind === 'timeout' || error.kind === 'channel' || error.kind === 'unreachable';
  const forbidden = /prohibited|resource shortage/i.test(error.message);
  return error.phase === 'dial' && answered && !forbidden ? failed(error.message) : untold(error.message);
};
