/** What can be made to go wrong in the demo; `src/sim` knows how. */
export const demoTroubles = ['gate', 'reboot', 'cut', 'stuck', 'busy'] as const;
export type DemoTrouble = (typeof demoTroubles)[number];
