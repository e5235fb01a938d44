#!/bin/bash
# start.sh STATE: runs one fleet until it ends, then removes what a kernel does not remove by itself.
# Standard input is the lifeline: when whoever holds its other end dies, the fleet dies. `LIFELINE=none` does without.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1
printf '%s %s\n' "$$" "$(start_time $$)" >"$state/starter"
bash "$here/sweep.sh" raise-limits

status=0
unshare --net --mount --pid --fork --kill-child=SIGKILL bash "$here/supervisor.sh" "$state" || status=$?

rm -f "$state/starter"
bash "$here/sweep.sh" remove "$state"
exit "$status"
