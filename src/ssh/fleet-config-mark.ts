/** The first line of the ssh_config that lab writes, and how it knows its own file again. */
export const fleetConfigMark =
  '# Written by lab for this fleet, and written anew at each run: changes made here are lost.';
