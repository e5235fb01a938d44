import type { RunId } from '../../run/event.ts';
import type { MachineTab } from '../screen/machine.ts';

/** What can be on show. */
export type View =
  | { readonly kind: 'machines' }
  | { readonly kind: 'machine'; readonly name: string; readonly tab: MachineTab }
  | { readonly kind: 'sequence' }
  | { readonly kind: 'run' }
  | { readonly kind: 'log' }
  | { readonly kind: 'problems' }
  | { readonly kind: 'inputs' }
  | { readonly kind: 'history' }
  /** A past run, at the moment that `moments` says. */
  | { readonly kind: 'replay'; readonly run: RunId }
  | { readonly kind: 'pulse' }
  | { readonly kind: 'help' };

/** The name under which a view's place in its rows is kept. */
export const viewKey = (view: View): string =>
  view.kind === 'machine'
    ? `machine/${view.name}/${view.tab}`
    : view.kind === 'replay'
      ? `replay/${view.run}`
      : view.kind;

/** What is added at its end is what is looked for. */
export const beginsAtEnd = (view: View): boolean =>
  view.kind === 'log' || (view.kind === 'machine' && view.tab === 'logs');
