# lab.machine.*: what `lab` must know of a machine to deploy it, reboot it and tell whether it is well.
#
# A machine that imports this module and sets nothing is an ordinary machine of the fleet, without role or order.
# Nothing here looks at `config.services`: an option that was removed from NixOS would abort the evaluation.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.lab.machine;
  limits = import ./limits.nix;

  # ── types ────────────────────────────────────────────────────────────────────────────────────────────────

  describe = description: type: type // { inherit description; };

  text = describe "non-empty text of at most ${toString limits.textLengthMax} bytes" (
    types.addCheck types.str (
      value: builtins.stringLength value <= limits.textLengthMax && builtins.match "[[:space:]]*" value == null
    )
  );
  # Shown in tables: one line.
  line = describe "non-empty line of at most ${toString limits.textLengthMax} bytes" (
    types.addCheck text (value: builtins.length (builtins.split "[\n\r\t]" value) == 1)
  );
  matching =
    description: pattern:
    describe description (
      types.addCheck types.str (
        value: builtins.stringLength value <= limits.nameLengthMax && builtins.match pattern value != null
      )
    );
  machineName = matching "machine name (at most ${toString limits.nameLengthMax} letters, digits, `.`, `_` and `-`, not starting with `.` or `-`)" "[A-Za-z0-9_][A-Za-z0-9_.-]*";
  word = matching "word (at most ${toString limits.nameLengthMax} letters, digits, `.`, `_`, `@`, `:` and `-`, starting with a letter, digit or `_`)" "[A-Za-z0-9_][A-Za-z0-9_.@:-]*";
  address =
    let
      octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    in
    matching "IPv4 or IPv6 address (without prefix length)" "${octet}(\\.${octet}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*";
  # No leading zero: it would be an octal number to some readers.
  portDigits = "[1-9][0-9]{0,4}";
  httpUrl = describe "URL that starts with http:// or https://, without spaces" (
    types.addCheck text (
      value:
      builtins.match "https?://([^][/?#[:space:]@]+@)?([A-Za-z0-9_.-]+|\\[[0-9A-Fa-f:.]+])(:${portDigits})?([/?#][^[:space:]]*)?" value
      != null
    )
  );

  upTo = types.ints.between;
  optional = type: attrs: mkOption ({ type = types.nullOr type; default = null; } // attrs);
  seconds =
    least: most: default: description:
    mkOption {
      type = upTo least most;
      inherit default;
      description = "${description} In seconds, ${toString least} to ${toString most}.";
    };

  # ── health checks ────────────────────────────────────────────────────────────────────────────────────────

  # The aim of each kind: the one option it cannot do without.
  aims = {
    http = "url";
    tcp = "port";
    command = "command";
    systemd = "unit";
  };
  # What has a meaning for one kind only, and means nothing while null.
  belongsTo = {
    url = "http";
    expectedBody = "http";
    host = "tcp";
    port = "tcp";
    command = "command";
    unit = "systemd";
  };

  healthCheck = types.submodule {
    options = {
      type = mkOption {
        type = types.enum (builtins.attrNames aims);
        example = "http";
        description = ''
          What the check does:
          `http` asks {option}`url` and compares the answer;
          `tcp` opens a connection to {option}`port`;
          `command` runs {option}`command`, which must exit with 0;
          `systemd` asks whether {option}`unit` is active.
        '';
      };
      name = optional line {
        example = "login page";
        description = "What people call this check. By default its kind and its aim.";
      };
      from = mkOption {
        type = types.enum [
          "target"
          "orchestrator"
        ];
        default = "target";
        description = ''
          Where the check looks from. `target`: from the machine itself, through the SSH connection, so that
          `localhost` is the machine's own and nothing needs to be open to the network. `orchestrator`: from
          where `lab` runs, which proves network and firewall as well.
        '';
      };
      url = optional httpUrl {
        example = "http://localhost:80/health";
        description = "For `http`: what to ask for.";
      };
      expectedStatus = mkOption {
        type = upTo 100 599;
        default = 200;
        description = "For `http`: the status that counts as healthy.";
      };
      expectedBody = optional text {
        example = "\"status\":\"pass\"";
        description = "For `http`: text that the answer must contain.";
      };
      host = optional line {
        example = "127.0.0.1";
        description = ''
          For `tcp`: whom to connect to. By default the machine itself: `localhost` as seen from the target,
          its SSH address as seen from the orchestrator.
        '';
      };
      port = optional (upTo 1 65535) {
        example = 5432;
        description = "For `tcp`: the port.";
      };
      command = optional text {
        example = "zpool status -x | grep -q healthy";
        description = "For `command`: a shell command; with `from = target` it runs on the machine.";
      };
      unit = optional word {
        example = "nginx.service";
        description = "For `systemd`: the unit that must be active.";
      };
      timeout = seconds 1 limits.checkTimeoutSecondsMax 10 "How long one try may take.";
      retries = mkOption {
        type = upTo 0 limits.checkRetriesMax;
        default = 3;
        description = "How often a check that failed is tried again, 0 to ${toString limits.checkRetriesMax} times.";
      };
      interval = seconds 1 limits.checkIntervalSecondsMax 5 "How long to wait between two tries.";
    };
  };

  # The short forms: what precedes the first colon is the kind.
  shortForm = describe "short form (`http://…`, `https://…`, `tcp:PORT`, `tcp:HOST:PORT`, `systemd:UNIT` or `command:…`)" (
    types.addCheck types.str (
      value: builtins.match "https?://.*|tcp:(.+:)?${portDigits}|systemd:.+|command:.+" value != null
    )
  );
  fromShortForm =
    value:
    let
      tcp = builtins.match "tcp:((.+):)?(${portDigits})" value;
      rest = prefix: lib.removePrefix prefix value;
    in
    if tcp != null then
      {
        type = "tcp";
        host = builtins.elemAt tcp 1;
        port = lib.toInt (builtins.elemAt tcp 2);
      }
    else if lib.hasPrefix "systemd:" value then
      {
        type = "systemd";
        unit = rest "systemd:";
      }
    else if lib.hasPrefix "command:" value then
      {
        type = "command";
        command = rest "command:";
      }
    else
      {
        type = "http";
        url = value;
      };

  # ── what no type can say ─────────────────────────────────────────────────────────────────────────────────

  hostName = config.networking.hostName;
  repeated =
    list: lib.unique (builtins.filter (item: builtins.length (builtins.filter (other: other == item) list) > 1) list);
  quoted = lib.concatMapStringsSep ", " (item: "\"${item}\"");
  localUrl =
    url: builtins.match "https?://([^/?#]*@)?(localhost|127\\.[0-9.]+|\\[::1])(:[0-9]+)?([/?#].*)?" url != null;
  localHost = host: builtins.match "localhost|127\\.[0-9.]+|::1" host != null;

  listProblems =
    option: most: list:
    lib.optional (builtins.length list > most)
      "${option} has ${toString (builtins.length list)} entries; at most ${toString most} are allowed";
  repetitions =
    option: list:
    lib.optional (repeated list != [ ]) "${option} names ${quoted (repeated list)} more than once";

  checkProblems =
    index: check:
    let
      where = "healthChecks, entry ${toString index} (${check.type})";
      aim = aims.${check.type};
      foreign = builtins.filter (name: belongsTo.${name} != check.type && check.${name} != null) (
        builtins.attrNames belongsTo
      );
      port = builtins.match "https?://([^/?#]*@)?[^/?#]*:([0-9]+)([/?#].*)?" check.url;
    in
    lib.optional (check.${aim} == null) "${where}: a check of type \"${check.type}\" needs `${aim}`"
    ++ map (
      name:
      "${where}: `${name}` has no meaning for a check of type \"${check.type}\", only for \"${belongsTo.${name}}\""
    ) foreign
    ++ lib.optional (
      check.type == "http" && check.url != null && port != null && lib.toInt (builtins.elemAt port 1) > 65535
    ) "${where}: `url` has a port above 65535"
    ++ lib.optional (check.type == "systemd" && check.from == "orchestrator")
      "${where}: `from = \"orchestrator\"` has no meaning, a unit is asked for on the machine itself"
    ++
      lib.optional
        (
          check.from == "orchestrator"
          && !cfg.orchestrator
          && (
            (check.type == "http" && check.url != null && localUrl check.url)
            || (check.type == "tcp" && check.host != null && localHost check.host)
          )
        )
        "${where}: seen from the orchestrator, localhost is the orchestrator itself; name this machine, or use `from = \"target\"`";

  problems =
    listProblems "groups" limits.groupsMax cfg.groups
    ++ listProblems "dependencies" limits.dependenciesMax cfg.dependencies
    ++ listProblems "addresses" limits.addressesMax cfg.addresses
    ++ listProblems "healthChecks" limits.healthChecksMax cfg.healthChecks
    ++ repetitions "groups" cfg.groups
    ++ repetitions "dependencies" cfg.dependencies
    ++ repetitions "addresses" cfg.addresses
    ++ lib.optional (builtins.elem hostName cfg.dependencies) "dependencies names the machine itself"
    ++ builtins.concatLists (lib.imap1 checkProblems cfg.healthChecks);

in
{
  _file = ./lab-machine.nix;

  options.lab.machine = {
    role = optional line {
      example = "web-server";
      description = "What the machine is for. `lab` shows it and selects by it (`role:web-server`).";
    };

    groups = mkOption {
      type = types.listOf word;
      default = [ ];
      example = [
        "infrastructure"
        "database"
      ];
      description = "Groups the machine belongs to; `lab` selects by them (`@database`).";
    };

    rebootOrder = optional (upTo 0 limits.rebootOrderMax) {
      example = 1;
      description = ''
        Place in the reboot sequence, lower is earlier, 0 to ${toString limits.rebootOrderMax}. It decides between
        machines that do not depend on each other; a number that contradicts {option}`dependencies` is an error.
        Machines without a number come after those with one.
      '';
    };

    dependencies = mkOption {
      type = types.listOf machineName;
      default = [ ];
      example = [ "nas" ];
      description = ''
        Machines, by their names in `nixosConfigurations`, that must be up and healthy before this one reboots.
        They reboot earlier; when one of them does not come back, this machine is left alone.
      '';
    };

    orchestrator = mkOption {
      type = types.bool;
      default = false;
      description = "Whether `lab` runs on this machine. It is always the last to reboot.";
    };

    addresses = mkOption {
      type = types.listOf address;
      default = [ ];
      example = [
        "192.168.1.10"
        "fd00::10"
      ];
      description = "IP addresses that belong to this machine alone; two machines with the same one are an error.";
    };

    ssh = {
      host = optional line {
        example = "nas.home.arpa";
        description = ''
          The name or address SSH is given. By default the first of {option}`addresses`, else the host name.
          Everything else may stay in `ssh_config`, which `lab` heeds.
        '';
      };
      port = optional (upTo 1 65535) {
        example = 2222;
        description = "The SSH port. By default what `ssh_config` says.";
      };
      user = optional word {
        example = "deploy";
        description = ''
          The user SSH logs in as: root, or one that runs sudo without a password. By default what `ssh_config` says.
        '';
      };
    };

    healthChecks = mkOption {
      type = types.listOf (types.coercedTo shortForm fromShortForm healthCheck);
      default = [ ];
      example = [
        {
          type = "http";
          url = "http://localhost:80/health";
        }
        {
          type = "tcp";
          port = 5432;
        }
        "systemd:nginx.service"
      ];
      description = ''
        What must pass for the machine to count as healthy, at most ${toString limits.healthChecksMax} checks. A machine
        without checks is healthy when systemd says it is running.
      '';
    };

    orchestration = {
      deployStrategy = mkOption {
        type = types.enum [
          "rolling"
          "blue-green"
          "recreate"
        ];
        default = "rolling";
        description = ''
          How a new system becomes live.
          `rolling`: switch, and pass the health checks before the next machine goes.
          `blue-green`: activate without making it the boot default; only healthy does it become the default,
          otherwise the machine returns to what it ran.
          `recreate`: make it the boot default only, and reboot into it.
        '';
      };
      rebootDelay = mkOption {
        type = upTo 0 limits.rebootDelaySecondsMax;
        default = 600;
        description = ''
          Seconds to wait before this machine reboots, counted from the moment the machine before it was healthy,
          0 to ${toString limits.rebootDelaySecondsMax}. The first machine waits only if it sets this itself.
        '';
      };
      rebootDelayIsOwn = mkOption {
        type = types.bool;
        internal = true;
        readOnly = true;
        default = options.lab.machine.orchestration.rebootDelay.highestPrio < (lib.mkOptionDefault null).priority;
        description = "Whether the configuration sets `rebootDelay`.";
      };
      criticalityLevel = mkOption {
        type = types.enum [
          "low"
          "medium"
          "high"
          "critical"
        ];
        default = "medium";
        description = ''
          What a failure of this machine does to a run.
          `low`: it is noted, machines that depend on it are skipped, the others go on.
          `medium`: as `low`, and the run ends as partly done.
          `high`: the run halts and waits for a person.
          `critical`: the run halts, and the machine returns to the system it ran before.
        '';
      };
    };

    reboot = {
      policy = mkOption {
        type = types.enum [
          "always"
          "when-needed"
          "never"
        ];
        default = "when-needed";
        description = ''
          When a run reboots the machine. `when-needed`: when kernel, initrd, kernel modules, kernel parameters or
          systemd differ between what is booted and what would boot next.
        '';
      };
      deadlines = {
        down = seconds 1 limits.deadlineSecondsMax 300 "From the order to reboot until the machine has gone down.";
        up = seconds 1 limits.deadlineSecondsMax 600 "From going down until the new boot answers over SSH.";
        healthy = seconds 1 limits.deadlineSecondsMax 300 "From the new boot until every check passes.";
      };
      stable = seconds 0 limits.stableSecondsMax 30 "How long the machine must stay healthy before the next one may go.";
      blockOnUsers = mkOption {
        type = types.enum [
          "active"
          "any"
          "never"
        ];
        default = "active";
        description = ''
          Which people who are logged in hold a reboot back (blocker `users-logged-in`).
          `active`: those who typed something in the last 30 minutes, so that a terminal left open, or an old tmux,
          does not keep the machine from its updates.
          `any`: also those who are away; for a desktop with work that nobody has saved.
          `never`: nobody.
          Logins without a terminal or a screen never count: those of `lab`, of backups, of other tools.
        '';
      };
      minUptime =
        seconds 0 limits.minUptimeSecondsMax 300
          "How long the machine must have been up before it may be rebooted again (blocker `just-booted`), so that one that keeps rebooting by itself, or is rebooted by two runs in a row, is left for a person to see.";
    };

    problems = mkOption {
      type = types.listOf types.str;
      internal = true;
      readOnly = true;
      description = ''
        What is wrong with these options although each has its type, naming machine and option. `lab` refuses a machine
        that has any; so does a build, by way of `assertions`.
      '';
    };
  };

  config = {
    lab.machine.problems = map (
      problem: "machine ${if hostName == "" then "without a host name" else hostName}: lab.machine.${problem}"
    ) problems;

    assertions = map (message: {
      assertion = false;
      inherit message;
    }) cfg.problems;

    environment.etc."lab-machine-metadata.json".source =
      (pkgs.formats.json { }).generate "lab-machine-metadata.json"
        {
          hostname = hostName;
          inherit (cfg)
            role
            groups
            rebootOrder
            dependencies
            orchestrator
            addresses
            ssh
            reboot
            ;
          healthChecks = map (
            check:
            lib.filterAttrs (
              name: value:
              value != null && (belongsTo // { expectedStatus = "http"; }).${name} or check.type == check.type
            ) check
          ) cfg.healthChecks;
          orchestration = removeAttrs cfg.orchestration [ "rebootDelayIsOwn" ];
        };
  };
}
