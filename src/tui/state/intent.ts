import type { Override } from '../../plan/override.ts';
import type { Goal } from '../../plan/plan.ts';
import type { RunId, SteerAsk } from '../../run/event.ts';

/** What the screen asks of the world around it. */
export type Intent =
  | { readonly kind: 'refresh' }
  | { readonly kind: 'probe'; readonly machines: readonly string[] }
  /** No machines named: all of them. */
  | { readonly kind: 'prepare'; readonly goal: Goal; readonly machines: readonly string[] }
  /** The run on show anew, in spite of these. */
  | { readonly kind: 'replan'; readonly overrides: readonly Override[] }
  | { readonly kind: 'approve' }
  | { readonly kind: 'decline' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'unpause' }
  | { readonly kind: 'resume'; readonly run: RunId }
  | ({ readonly kind: 'steer' } & SteerAsk)
  | { readonly kind: 'open-past'; readonly run: RunId }
  | { readonly kind: 'dismiss' }
  | { readonly kind: 'follow-logs'; readonly machine: string; readonly unit: string | null }
  | { readonly kind: 'leave-logs' }
  | { readonly kind: 'read-inputs' }
  /** No inputs named: all of them. */
  | { readonly kind: 'preview-inputs'; readonly inputs: readonly string[] }
  | { readonly kind: 'update-inputs'; readonly inputs: readonly string[] }
  | { readonly kind: 'look-generations'; readonly machine: string }
  | { readonly kind: 'look-closure'; readonly machine: string }
  | { readonly kind: 'leave-closure' }
  | { readonly kind: 'ssh'; readonly machine: string }
  | { readonly kind: 'edit'; readonly machine: string }
  /** Onto the clipboard of the terminal. */
  | { readonly kind: 'copy'; readonly text: string }
  | { readonly kind: 'repaint' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'quit' };
