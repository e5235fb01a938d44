# Bounds of everything a configuration may ask for: the numbers of src/fleet/limits.ts, which a test compares.
# Times are in seconds, texts in bytes.
{
  machinesMax = 500;
  nameLengthMax = 63;
  groupsMax = 32;
  dependenciesMax = 64;
  addressesMax = 16;
  healthChecksMax = 32;
  rebootOrderMax = 10000;
  rebootDelaySecondsMax = 86400;
  checkTimeoutSecondsMax = 300;
  checkRetriesMax = 20;
  checkIntervalSecondsMax = 300;
  deadlineSecondsMax = 7200;
  stableSecondsMax = 3600;
  minUptimeSecondsMax = 86400;
  textLengthMax = 1024;
}
