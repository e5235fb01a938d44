#!/bin/bash
# orchestrator.sh STATE ARGV...: runs a command as the machine that operates the fleet: in the fleet's network, with an
# empty Nix store of its own (the machine's stays clean) and the fleet's ssh configuration as the system's. All else,
# files and processes, is the real machine's.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1
shift
if [ "${IN_FLEET_NETWORK-}" != yes ]; then
  read -r supervisor _ <"$state/supervisor"
  CALLER_PATH=$caller_path CALLER_LC_ALL=$caller_lc_all IN_FLEET_NETWORK=yes exec \
    nsenter --target "$supervisor" --net -- unshare --mount --propagation private \
    bash "${BASH_SOURCE[0]}" "$state" "$@"
fi
bind_store "$state/nix" /nix
[ ! -e /etc/ssh/ssh_config ] || mount --bind "$state/ssh/config" /etc/ssh/ssh_config
exec env -u LC_ALL -u IN_FLEET_NETWORK -u CALLER_PATH -u CALLER_LC_ALL ${CALLER_LC_ALL:+"LC_ALL=$CALLER_LC_ALL"} PATH="$CALLER_PATH" "$@"
