#!/bin/bash
# factory.sh STATE EXPRESSION: builds the system that every host comes with, in the store of the orchestrator, and leaves
# it in STATE/factory as prepare-host.sh takes it: `toplevel`, its path, and `closure`, an export of all that it needs.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
if [ "${IN_OWN_MOUNTS-}" != yes ]; then
  IN_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi
state=$1 expression=$2
bind_store "$state/nix" /nix
mkdir "$state/factory"
toplevel=$(nix-build --quiet --no-out-link "$expression")
mapfile -t closure < <(nix-store --query --requisites "$toplevel")
nix-store --export "${closure[@]}" >"$state/factory/closure"
printf '%s\n' "$toplevel" >"$state/factory/toplevel"
