/**
 * What an activation runs in, so that it outlives the connection that asked for it: a transient unit of systemd, or,
 * where PID 1 is no systemd, a process in a session of its own. The scripts of this folder ask through these functions
 * and need not know which it is; what the second answers has the form of the first.
 *
 * A detached process has a folder, /run/lab/detached/UNIT. Making it is the lock: who comes second finds it. It holds
 *
 *   description   what systemd would call so
 *   pid           process id and start time, which together are given only once in a boot
 *   log           what it said, bounded
 *   exit          its exit status, once it has ended; drained, once all it said is in the log
 */

const logLinesMax = 5_000;
const logLineCharsMax = 1_000;
/** How long a start waits for the process, and a reading for the last words of one that has ended; in seconds. */
const patienceSeconds = 5;

/** sd_booted(3): the folder is there if and only if PID 1 is systemd. */
export const unitFunctions = `detached=/run/lab/detached
proc=/proc
by_systemd() {
  [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1 && command -v systemd-run >/dev/null 2>&1
}
detached_alive() {
  { read -r pid since; } 2>/dev/null <"$detached/$1/pid" || return 1
  [ -n "$since" ] && [ "$(cut -d ' ' -f 22 "$proc/$pid/stat" 2>/dev/null)" = "$since" ]
}
detached_state() {
  if [ -e "$detached/$1/exit" ]; then echo exited
  elif detached_alive "$1"; then echo running
  else echo lost
  fi
}
unit_properties() {
  if by_systemd; then
    systemctl show --property=LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus -- "$1.service"
    return
  fi
  load=loaded active=active sub=running result=success code=0 status=0
  if ! [ -d "$detached/$1" ]; then
    load=not-found active=inactive sub=dead
  else
    state=$(detached_state "$1")
    # It may be between its end and the word about it, or between its folder and its first word.
    if [ "$state" = lost ]; then sleep 1; state=$(detached_state "$1"); fi
    case "$state" in
      lost) active=failed sub=failed result=lost ;;
      exited)
        status=$(cat "$detached/$1/exit") code=1 sub=exited
        # A shell gives the signal that ended a command so; 137 is what timeout says of a command it had to kill.
        if [ "$status" -gt 128 ] && [ "$status" -ne 137 ]; then
          status=$((status - 128)) code=2 active=failed sub=failed result=signal
        fi
        ;;
    esac
  fi
  printf 'LoadState=%s\\nActiveState=%s\\nSubState=%s\\n' "$load" "$active" "$sub"
  printf 'Result=%s\\nExecMainCode=%s\\nExecMainStatus=%s\\n' "$result" "$code" "$status"
}
unit_known() {
  if by_systemd; then [ "$(systemctl show --property=LoadState --value -- "$1.service")" = loaded ]
  else [ -d "$detached/$1" ]
  fi
}
unit_description() {
  if by_systemd; then systemctl show --property=Description --value -- "$1.service"
  else cat "$detached/$1/description"
  fi
}
unit_remove() {
  if by_systemd; then
    systemctl stop -- "$1.service" 2>/dev/null
    systemctl reset-failed -- "$1.service" 2>/dev/null
  else
    if ! [ -e "$detached/$1/exit" ] && detached_alive "$1"; then kill "$pid" 2>/dev/null; fi
    rm -rf "$detached/$1"
  fi
}
units_ended() {
  if by_systemd; then
    timeout 10 systemctl list-units --all --plain --no-legend --no-pager --full 'lab-activate-*' 'lab-restore-*' 2>/dev/null |
      head -n 50 | while read -r name load active sub rest; do
        case "$sub" in exited|failed) basename "$name" .service ;; esac
      done
  else
    for folder in "$detached"/lab-activate-* "$detached"/lab-restore-*; do
      name=$(basename "$folder")
      if [ -d "$folder" ] && [ "$(detached_state "$name")" != running ]; then echo "$name"; fi
    done
  fi
}
# Those of systemd everybody may list: what is detached, only root.
detached_running() {
  by_systemd && return 0
  for folder in "$detached"/lab-activate-* "$detached"/lab-restore-*; do
    name=$(basename "$folder")
    if [ "$(detached_state "$name")" = running ]; then echo "$name"; fi
  done
}
# unit, cursor of the last reading (or nothing), lines at most
unit_log() {
  if by_systemd; then
    name=$1 lines=$3
    if [ -n "$2" ]; then set -- --after-cursor="$2"; else set --; fi
    timeout 10 journalctl --no-pager --quiet --output=cat --lines="$lines" --show-cursor "$@" _SYSTEMD_UNIT="$name.service" 2>/dev/null
  elif [ -e "$detached/$1/log" ]; then
    after=0
    case "$2" in line=*) after=$(echo "$2" | cut -d = -f 2) ;; esac
    upto=$(wc -l <"$detached/$1/log")
    if [ "$upto" -gt $((after + $3)) ]; then upto=$((after + $3)); fi
    head -n "$upto" "$detached/$1/log" | tail -n +$((after + 1))
    echo "-- cursor: line=$((upto))"
  fi
}
# All that a unit which has ended said is in its log.
unit_log_sync() {
  if by_systemd; then
    timeout 5 journalctl --sync >/dev/null 2>&1
  else
    tries=0
    while [ -e "$detached/$1/exit" ] && ! [ -e "$detached/$1/drained" ] && [ "$tries" -lt ${patienceSeconds} ]; do
      sleep 0.2 || sleep 1
      tries=$((tries + 1))
    done
  fi
}
failed_units() {
  by_systemd || return 0
  timeout 5 systemctl list-units --failed --plain --no-legend --no-pager --full 2>/dev/null | head -n 200 |
    while read -r name rest; do echo "$name"; done
}
# unit, description, runner, script, its arguments
start_detached() {
  home=$detached/$1
  if ! said=$(umask 077 && { mkdir -p "$detached" && mkdir "$home"; } 2>&1); then return 1; fi
  printf '%s' "$2" >"$home/description"
  runner=$3
  shift 3
  # Nobody's child either, so that who stops what descends from this connection does not find it. Without setsid it
  # stays in a session that has no terminal: nothing there ends it but a hangup.
  if command -v setsid >/dev/null 2>&1; then
    (setsid sh -c "$runner" sh "$home" "$@" </dev/null >/dev/null 2>&1 &)
  else
    ( (trap '' HUP && exec sh -c "$runner" sh "$home" "$@") </dev/null >/dev/null 2>&1 &)
  fi
  tries=0
  until [ -e "$home/pid" ] || [ -e "$home/exit" ] || [ "$tries" -ge $((${patienceSeconds} * 5)) ]; do
    sleep 0.2 || sleep 1
    tries=$((tries + 1))
  done
  [ -e "$home/pid" ] || [ -e "$home/exit" ]
}
`;

/**
 * Runs a script as a unit would: arguments are its folder, the script, its arguments. What is said goes through a bound
 * to the log; what is said beyond it is read and dropped, for a closed pipe would end who speaks.
 */
export const detachedRunner = `home=$1 script=$2 proc=/proc
shift 2
cd / || exit
umask 022
{
  sh -c "$script" sh "$@" &
  pid=$!
  echo "$pid $(cut -d ' ' -f 22 "$proc/$pid/stat")" >"$home/pid.new" && mv "$home/pid.new" "$home/pid"
  wait "$pid"
  echo $? >"$home/exit.new" && mv "$home/exit.new" "$home/exit"
} 2>&1 | {
  lines=0
  while IFS= read -r line || [ -n "$line" ]; do
    lines=$((lines + 1))
    if [ "$lines" -le ${logLinesMax} ]; then printf '%.${logLineCharsMax}s\\n' "$line"; fi
  done >"$home/log"
}
: >"$home/drained"
`;
