/**
 * Bounds of everything a configuration may ask for. The Nix module enforces the same numbers at evaluation
 * (`test/nix-integration/schema.test.ts` holds the two together); the program checks them again.
 */
export const limits = {
  machinesMax: 500,
  nameLengthMax: 63,
  groupsMax: 32,
  dependenciesMax: 64,
  addressesMax: 16,
  healthChecksMax: 32,
  rebootOrderMax: 10_000,
  rebootDelaySecondsMax: 86_400,
  checkTimeoutSecondsMax: 300,
  checkRetriesMax: 20,
  checkIntervalSecondsMax: 300,
  deadlineSecondsMax: 7_200,
  stableSecondsMax: 3_600,
  minUptimeSecondsMax: 86_400,
  textLengthMax: 1_024,
} as const;
