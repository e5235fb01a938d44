/**
 * Shell functions for the scripts of activation units. `lead_to TOPLEVEL NUMBER`: the system profile leads to the
 * toplevel, by switching to the generation of that number if it holds it, else by a new one. So a return to a
 * generation makes none, and what came before it stays before it. Another process may hold the profile for ever, so it
 * waits for `limit` seconds. Holds neither `${` nor `$$` nor `%`.
 */
export const profileFunctions = `profile=/nix/var/nix/profiles/system
lead_to() {
  if [ -n "$2" ] && [ "$(readlink -f "$profile-$2-link")" = "$1" ]; then
    timeout -k 30 "$limit" nix-env -p "$profile" --switch-generation "$2" || return 1
  else
    timeout -k 30 "$limit" nix-env -p "$profile" --set "$1" || return 1
  fi
  [ "$(readlink -f "$profile")" = "$1" ] && return 0
  echo "$profile does not lead to $1 after it was set"
  return 1
}
`;
