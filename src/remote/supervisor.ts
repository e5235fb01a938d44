import { leasePrelude } from './lease.ts';
import { profileFunctions } from './profile.ts';
import { unitFunctions } from './unit-functions.ts';

/**
 * What watches over an activation on the machine itself: the script of its unit, and the one that tells it how to end.
 * Both meet in /run/lab/UNIT, which a reboot empties as it ends the unit:
 *
 *   current, profile   what ran and what would have booted before
 *   code               exit status of the activation: it has ended, and its supervisor waits for a word
 *   extend             somebody has read `code`: the wait begins anew
 *   verdict            a link to the word that came first: confirm, restore, or expired from the supervisor itself
 *   end                what came of it: confirmed, restored, no-boot-default (and restored), stuck, spared
 *
 * What somebody else deployed meanwhile, neither the new nor what was before, is theirs: it is `spared`, and nothing put over it.
 */

/** Exit statuses of the supervised unit beside those of the activation. */
export const supervisedExit = {
  inhibited: 94,
  noWayBack: 95,
  noState: 96,
  restored: 97,
  stuck: 98,
  spared: 99,
} as const;

/**
 * Where links keep the way back from garbage collection: UNIT-current, UNIT-profile while an activation is not settled, and
 * stuck-current, stuck-profile of the last one that could not go back.
 */
const gcRoots = '/nix/var/nix/gcroots/lab';

/**
 * Forgets what was kept for activations whose machine has been rebooted, or whose supervisor was killed. A way back that
 * failed stays for whoever comes to help: until the machine runs that again, or something else is confirmed.
 */
export const sweepRoots = `helped=$([ "$(readlink ${gcRoots}/stuck-current)" != "$(readlink -f /run/current-system)" ] || echo yes)
for root in ${gcRoots}/*; do
  kept=$(basename "$root")
  case $kept in
    stuck-*) if [ -z "$helped" ]; then continue; fi ;;
    *) if [ -d "/run/lab/\${kept%-*}" ]; then continue; fi ;;
  esac
  rm -f "$root"
done`;

/** How often the supervisor looks for a word. The script sleeps as long; a `sleep` without fractions sleeps longer. */
export const tickMs = 200;

/**
 * What the unit runs. Arguments: toplevel, `switch` or `test`, ticks to wait, unit, the recorded current and profile
 * of an earlier attempt (empty for none), which count where that attempt has already changed them, and how many
 * seconds an activation may take: one that hangs would otherwise keep its supervisor from ever returning.
 *
 * A `switch` is a `test` at first: as long as nobody has confirmed it, whatever ends the machine in between (a crash, a
 * power cut) boots what was good. Holds neither `${` nor `$$` nor `%`, which systemd would expand.
 */
export const supervisorScript = `toplevel=$1 mode=$2 ticks=$3 unit=$4 dir=/run/lab/$4 limit=$7 number=$8
${profileFunctions}if ! [ -d "$toplevel" ]; then
  echo "$toplevel is not on this machine"
  exit 91
fi
if ! [ -x "$toplevel/bin/switch-to-configuration" ]; then
  echo "$toplevel has no bin/switch-to-configuration"
  exit 92
fi
go_live() { timeout -k 30 "$limit" "$1/bin/switch-to-configuration" test; }
note() { echo "$2" >"$dir/$1.new" && mv "$dir/$1.new" "$dir/$1"; }
make_default() { lead_to "$1" "$2" && timeout -k 30 "$limit" "$1/bin/switch-to-configuration" boot; }
# What a toplevel says must not change without a reboot; one that says nothing says {}.
inhibitors() { cat "$1/switch-inhibitors" 2>/dev/null || echo '{}'; }

if [ "$mode" = switch ] && [ "$(inhibitors "$toplevel")" != "$(inhibitors /run/booted-system)" ]; then
  echo 'its switch inhibitors are not those of what was booted: it becomes the boot default only'
  make_default "$toplevel" "$number" || exit 93
  exit ${supervisedExit.inhibited}
fi

current=$(readlink -f /run/current-system)
before=$(readlink -f "$profile")
was=$(readlink "$profile" | sed -n 's,^system-\\([0-9]*\\)-link$,\\1,p')
if [ "$current" = "$toplevel" ] && [ -n "$5" ]; then current=$5; fi
if [ "$before" = "$toplevel" ] && [ -n "$6" ]; then before=$6; fi
if ! [ -x "$current/bin/switch-to-configuration" ]; then
  echo "what runs now could not be returned to: $current has no bin/switch-to-configuration"
  exit ${supervisedExit.noWayBack}
fi
rm -rf "$dir"
if ! { (umask 077 && mkdir -p "$dir") && note current "$current" && note profile "$before"; }; then
  echo "$dir cannot be written, so nothing could be returned"
  exit ${supervisedExit.noState}
fi
# No collection of garbage takes away what it would return to.
keep() { mkdir -p ${gcRoots} && ln -sfn "$current" "${gcRoots}/$1-current" && ln -sfn "$before" "${gcRoots}/$1-profile"; }
let_go() { rm -f "${gcRoots}/$1-current" "${gcRoots}/$1-profile"; }
# Who reads the end may end this unit at once, so what is to be kept is kept before.
ends() {
  case $1 in
    stuck) keep stuck || { note end stuck; return; } ;;
    confirmed) let_go stuck ;;
  esac
  note end "$1"
  let_go "$unit"
}
if ! keep "$unit"; then
  echo 'what runs now could not be kept from garbage collection'
  let_go "$unit"
  rm -rf "$dir"
  exit ${supervisedExit.noState}
fi

# Whether a link leads to what somebody else deployed: neither the new, nor what was before.
others() {
  [ -e "$1" ] && case "$(readlink -f "$1")" in "$toplevel"|"$current"|"$before") return 1 ;; esac
}
left=${supervisedExit.restored}
restore() { # how it ends when it is done
  if others /run/current-system; then
    echo "somebody else has deployed $(readlink -f /run/current-system): it stays"
    left=${supervisedExit.spared}
    ends spared
    return 0
  fi
  echo "returning to $current"
  back=$1
  if [ "$(readlink -f "$profile")" = "$toplevel" ] && [ "$before" != "$toplevel" ]; then
    make_default "$before" "$was" || back=stuck
  fi
  go_live "$current"
  case $? in
    0|4) ;;
    *) back=stuck ;;
  esac
  [ "$(readlink -f /run/current-system)" = "$current" ] || back=stuck
  ends "$back"
  case $back in
    stuck) echo "could not return to $current"; exit ${supervisedExit.stuck} ;;
    *) echo "returned to $current"; return 0 ;;
  esac
}

go_live "$toplevel"
code=$?
case $code in
  0|4) ;;
  100)
    [ "$mode" != switch ] || make_default "$toplevel" "$number" || { restore no-boot-default; exit 93; }
    let_go "$unit"
    rm -rf "$dir"
    exit 100
    ;;
  *)
    note refused "$code"
    # A check that said no beforehand has touched nothing.
    if [ "$code" = 1 ] && [ "$(readlink -f /run/current-system)" = "$current" ]; then ends restored; else restore restored; fi
    exit "$code"
    ;;
esac
note code "$code"

waited=0
until verdict=$(readlink "$dir/verdict"); do
  if [ -e "$dir/extend" ]; then
    rm -f "$dir/extend"
    waited=0
  fi
  if [ "$waited" -ge "$ticks" ]; then
    echo 'nobody confirmed it in time'
    if ln -s expired "$dir/verdict" 2>/dev/null; then continue; fi
    # Another word came first; or none can come any more, for the folder is gone or /run is full.
    verdict=$(readlink "$dir/verdict") || verdict=expired
    break
  fi
  sleep ${tickMs / 1_000} || sleep 1
  waited=$((waited + 1))
done

if [ "$verdict" = confirm ]; then
  if others /run/current-system || { [ "$mode" = switch ] && others "$profile"; }; then
    restore spared
    exit ${supervisedExit.spared}
  fi
  if [ "$mode" != switch ] || make_default "$toplevel" "$number"; then
    ends confirmed
    exit "$code"
  fi
  echo 'it could not be made the boot default'
  restore no-boot-default
else
  restore restored
fi
exit "$left"
`;

/** What an end that is none to be wished tells of its reason. */
const saidLinesMax = 60;
const saidLineBytesMax = 1_000;

/** How long one command of `settleScript` waits for the end, in steps of a fifth of a second. */
const settleTicks = 50;

/**
 * Tells the supervisor its verdict, unless it has one, and waits a while for what comes of it. Arguments: unit, verdict,
 * and the claim. Asking again is safe: the first word counts.
 */
export const settleScript = `${leasePrelude}
${unitFunctions}
echo lab-settle
dir=/run/lab/$1
fence "$3" "$4" "$5" "$6" || { echo lab-end; exit 0; }
if [ -d "$dir" ]; then
  if [ "$2" = restore ] || [ -e "$dir/code" ]; then ln -s "$2" "$dir/verdict" 2>/dev/null; fi
  exec 9<&-
  ticks=0
  running=yes
  while ! [ -e "$dir/end" ] && [ "$running" = yes ] && [ "$ticks" -lt ${settleTicks} ]; do
    sleep ${tickMs / 1_000} || sleep 1
    ticks=$((ticks + 1))
    case "$(unit_properties "$1")" in
      *not-found*|*SubState=dead*|*SubState=failed*|*SubState=exited*) running=no ;;
    esac
  done
  if [ -e "$dir/end" ]; then
    put end "$(cat "$dir/end")"
    put verdict "$(readlink "$dir/verdict")"
    if [ -e "$dir/refused" ]; then put refused "$(cat "$dir/refused")"; fi
    case "$(cat "$dir/end")" in
      stuck|no-boot-default)
        unit_log_sync "$1"
        unit_log "$1" '' ${saidLinesMax} | cut -c 1-${saidLineBytesMax} | while IFS= read -r line; do put log "$line"; done
        ;;
    esac
  elif [ "$running" = no ]; then
    # It was killed: nothing of it is left that would make the machine look degraded.
    unit_remove "$1"
    rm -rf "$dir"
    put end gone
  else
    put end pending
  fi
else
  put end gone
fi
echo lab-end
`;
