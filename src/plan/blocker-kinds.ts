/** What may hold a machine back before it is acted on, by the word that overrides it. A file of its own: `--help` names them. */
export const blockerKinds = [
  'no-space-nix',
  'no-space-boot',
  'inhibited',
  'inhibitors-unknown',
  'users-logged-in',
  'users-unknown',
  'just-booted',
  'systemd-unwell',
  'activation-in-progress',
  'changed-since-plan',
] as const;
export type BlockerKind = (typeof blockerKinds)[number];
