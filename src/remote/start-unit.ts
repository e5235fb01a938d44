import type { Machine } from '../fleet/machine.ts';
import type { ActivateRequest } from '../ports.ts';
import { descriptionOf, endedByTimeout, ownExit, unitScript } from './activation-unit.ts';
import { claimArguments, leasePrelude } from './lease.ts';
import { isToplevel } from './names.ts';
import { supervisedExit, supervisorScript, sweepRoots, tickMs } from './supervisor.ts';
import { detachedRunner, unitFunctions } from './unit-functions.ts';

/** How the transient unit of an activation is started. Pure. */

/** The exit statuses that mean an answer of ours or of switch-to-configuration, so that the unit never counts as failed. */
const answeredExits = [
  1,
  2,
  4,
  100,
  ...Object.values(ownExit),
  ...Object.values(supervisedExit),
  ...Object.values(endedByTimeout),
].join(' ');

/**
 * Starts the unit unless it is there already. Units of earlier activations that have ended, and whose run nobody took
 * up to read them, are unloaded first, and so is what was kept from garbage collection for activations that are gone.
 * Arguments: the boot in which it may be begun (empty: in any), run, owner, time to live and machine of the claim, unit,
 * description, `detachedRunner`, links whose place is taken and toplevels that they may lead to, script of the unit, its
 * arguments. Without `--pipe`, which would tie the activation to the connection; `Type=exec` returns as soon as it runs.
 * What the kernel ends for want of memory takes nothing else with it, as it would by default: its supervisor has to return
 * it. A supervised one that is there waits anew; one that has returned, or was told to, makes room for another attempt.
 */
export const startScript = `${leasePrelude}
${unitFunctions}
echo lab-start
if [ -n "$1" ] && [ "$1" != "$(head -c 64 /proc/sys/kernel/random/boot_id)" ]; then
  put outcome other-boot
  echo lab-end
  exit 0
fi
fence "$2" "$3" "$4" "$5" || { echo lab-end; exit 0; }
shift 5
units_ended | while read -r ended; do
  if [ "$ended" != "$1" ]; then
    unit_remove "$ended" # Of one that was killed the way back is kept.
    if [ -e "/run/lab/$ended/end" ]; then rm -rf "/run/lab/$ended"; fi
  fi
done
${sweepRoots}
dir=/run/lab/$1 unit=$1 description=$2 runner=$3 links=$4 over=$5 script=$6
shift 6
if [ -d "$dir" ]; then
  : >"$dir/extend"
  case "$([ -e "$dir/end" ] && readlink "$dir/verdict")" in
    expired|restore) unit_remove "$unit"; rm -rf "$dir" ;;
  esac
fi
start() {
  if by_systemd; then
    systemd-run --unit="$unit" --description="$description" --no-ask-password --quiet --service-type=exec \\
      --property=RemainAfterExit=yes --property=OOMPolicy=continue --property=IgnoreOnIsolate=yes \\
      --property="SuccessExitStatus=${answeredExits}" \\
      --setenv="PATH=$PATH" --setenv=LC_ALL=C sh -c "$script" sh "$@" 2>&1
  else
    start_detached "$unit" "$description" "$runner" "$script" "$@"
  fi
}
# What somebody else has deployed since the machine was looked at is theirs.
if [ -n "$links" ] && ! unit_known "$unit"; then
  for link in $links; do
    theirs=$(readlink -f "$link")
    case " $over " in *" $theirs "*) continue ;; esac
    if [ -e "$link" ]; then
      put outcome theirs
      put message "$link leads to $theirs"
      echo lab-end
      exit 0
    fi
  done
fi
if said=$(start "$@" 9<&-); then
  put outcome started
elif unit_known "$unit"; then
  put outcome existing
  put description "$(unit_description "$unit")"
else
  put outcome refused
  put message "$(printf '%s' "$said" | tail -n 1)"
fi
echo lab-end
`;

/** How much sooner than here a machine gives up an activation that hangs. */
const limitMarginMs = 60_000;

/** The script of the unit with its arguments. */
const scriptOf = ({
  toplevel,
  mode,
  unit,
  generation,
  deadlineMs,
  supervision,
}: ActivateRequest): readonly string[] => {
  const number = generation === undefined ? '' : String(generation);
  // Less than what is waited for here, so that its end is read and not missed by a moment.
  const limitMs = Math.max(deadlineMs / 2, deadlineMs - limitMarginMs);
  const limit = String(Math.max(1, Math.floor(limitMs / 1_000)));
  if (supervision === undefined) return [unitScript, toplevel, mode, number, limit];
  const { confirmWithinMs, recorded } = supervision;
  const known = (path: string | null): string => (path !== null && isToplevel(path) ? path : '');
  const ticks = String(Math.ceil(confirmWithinMs / tickMs));
  return [
    supervisorScript,
    toplevel,
    mode,
    ticks,
    unit,
    known(recorded.current),
    known(recorded.profile),
    limit,
    number,
  ];
};

/** The links whose place an activation takes, and where they may lead: nothing is looked at where that is not said. */
const overOf = ({ toplevel, mode, over }: ActivateRequest): readonly [links: string, over: string] => {
  // What is no toplevel by its path is nothing that could be told apart there.
  if (over === undefined || !over.every(isToplevel)) return ['', ''];
  const links = [
    ...(mode === 'boot' ? [] : ['/run/current-system']),
    ...(mode === 'test' ? [] : ['/nix/var/nix/profiles/system']),
  ];
  return [links.join(' '), [toplevel, ...over].join(' ')];
};

/** What `startScript` is given, in its order. */
export const startArguments = (machine: Machine, request: ActivateRequest): readonly string[] => [
  request.bootId ?? '',
  ...claimArguments(request.claim, machine),
  request.unit,
  descriptionOf(request),
  detachedRunner,
  ...overOf(request),
  ...scriptOf(request),
];
