# services.lab-orchestrator: `lab run` by a systemd timer, on the machine that looks after the fleet.
#
# The unit's result is the exit status of `lab run`, and nothing softens it:
#   0 all done · 1 failed · 2 usage or configuration error · 3 partly done · 4 held, needs a person · 5 locked by
#   another run. So the unit is failed after anything but 0; `lab journal` and `journalctl -u lab-orchestrator` say why.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.lab-orchestrator;

  localPath = lib.hasPrefix "/" cfg.flake;
  ownStateDir = lib.hasPrefix "/var/lib/" cfg.stateDir;

  # What `lab` runs, here and on this machine itself: a unit's PATH has no shell and no sudo of its own. Health checks
  # that look from here may need any program of the system.
  path = [
    config.nix.package
    pkgs.bash
    pkgs.git
    pkgs.openssh
    "/run/wrappers"
    "/run/current-system/sw"
  ];

  # Words of one command, quoted for the script below and nothing else.
  command = [
    "${cfg.package}/bin/lab"
    "run"
    "--flake"
    cfg.flake
    "--yes"
    "--via"
    "timer"
  ]
  ++ lib.optional (!cfg.update) "--no-update"
  ++ cfg.extraArgs;
in
{
  _file = ./lab-orchestrator.nix;

  options.services.lab-orchestrator = {
    enable = lib.mkEnableOption "scheduled runs of `lab`: update, build, deploy and reboot the fleet in order";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ../package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ../package.nix { }";
      description = "The package that has `bin/lab`.";
    };

    flake = mkOption {
      type = types.nonEmptyStr;
      example = "/srv/lab";
      description = ''
        The flake of the fleet: the absolute path of a folder that {option}`user` may write, as a string (a path
        literal would be copied into the store), or any flake URL when {option}`update` is false.

        A repository that belongs to another user is refused by git ("dubious ownership"). Let {option}`user` be its
        owner, or put `[safe] directory = /srv/lab` into that user's git configuration.
      '';
    };

    update = mkOption {
      type = types.bool;
      default = true;
      description = "Whether a run begins with an update of the flake's inputs. It needs a flake in a local folder.";
    };

    schedule = mkOption {
      type = types.nonEmptyStr;
      default = "Sun 04:00";
      example = "*-*-* 03:30";
      description = "When to run, as systemd's `OnCalendar=` (see {manpage}`systemd.time(7)`).";
    };

    persistent = mkOption {
      type = types.bool;
      default = true;
      description = "Whether a run that was missed, because the machine was off, is made up for at the next boot.";
    };

    randomizedDelay = mkOption {
      type = types.nonEmptyStr;
      default = "0";
      example = "30min";
      description = "Up to how much later than {option}`schedule` a run may start, as a systemd time span.";
    };

    timeLimit = mkOption {
      type = types.nonEmptyStr;
      default = "12h";
      description = ''
        After how long a run is stopped, as a systemd time span. It must cover all builds, delays and reboots of the
        fleet. A run that is stopped is in the journal, and can be taken up again.
      '';
    };

    user = mkOption {
      type = types.nonEmptyStr;
      default = "root";
      example = "alice";
      description = ''
        Who runs it: a user whose SSH keys and `known_hosts` reach the machines without asking anybody, who may use
        the Nix daemon and owns the flake's folder.
      '';
    };

    stateDir = mkOption {
      type = types.nonEmptyStr;
      default = "/var/lib/lab";
      description = ''
        Where journal and lock are kept. Below `/var/lib` systemd makes the folder and gives it to {option}`user`;
        elsewhere it must exist. To see these runs by hand, give `lab` the same folder: `LAB_STATE_DIR`.
      '';
    };

    resumeAtBoot = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether a run reboots this machine too, as the last one, and goes on after its boot by the unit
        `lab-orchestrator-resume`. Without it the run leaves the reboot of this machine to you, and says so.
      '';
    };

    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "@infrastructure" ];
      description = "Further words for `lab run`: selectors and flags.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.update -> localPath;
        message = ''services.lab-orchestrator.update needs a flake in a local folder to write its flake.lock, and services.lab-orchestrator.flake is "${cfg.flake}"; give an absolute path, or set update = false'';
      }
      {
        assertion = lib.hasPrefix "/" cfg.stateDir;
        message = ''services.lab-orchestrator.stateDir must be an absolute path, and is "${cfg.stateDir}"'';
      }
    ];

    systemd.services.lab-orchestrator = {
      description = "Update, deploy and reboot the fleet in order";
      documentation = [ "man:systemd.time(7)" ];
      # A run that was missed is made up for in the very boot that an unfinished one waits for: that one goes first.
      after = [
        "network-online.target"
      ]
      ++ lib.optional cfg.resumeAtBoot "lab-orchestrator-resume.service";
      wants = [ "network-online.target" ];
      unitConfig.RequiresMountsFor = lib.optional localPath cfg.flake ++ [ cfg.stateDir ];

      # A run may deploy the very machine it runs on: the switch must leave it alone.
      restartIfChanged = false;
      stopIfChanged = false;

      inherit path;
      environment = {
        LAB_STATE_DIR = cfg.stateDir;
      }
      // lib.optionalAttrs cfg.resumeAtBoot { LAB_RESUMES_AT_BOOT = "1"; };
      script = "exec ${lib.escapeShellArgs command}";

      serviceConfig = {
        Type = "oneshot";
        # Named even when it is root: systemd sets HOME only then, and ssh, git and nix need one.
        User = cfg.user;
        WorkingDirectory = if localPath then cfg.flake else cfg.stateDir;
        TimeoutStartSec = cfg.timeLimit;
        # On the way out the run ends its step and writes down where it stands, so what works for it (nix, ssh) is not
        # ended beneath it: that would look like a failure of a machine.
        KillMode = "mixed";
        TimeoutStopSec = "2min";
        # An evaluation that the kernel ends for want of memory is one machine that could not be evaluated, not the whole run.
        OOMPolicy = "continue";
      }
      // lib.optionalAttrs ownStateDir {
        StateDirectory = lib.removePrefix "/var/lib/" cfg.stateDir;
        StateDirectoryMode = "0700";
      };
    };

    systemd.services.lab-orchestrator-resume = lib.mkIf cfg.resumeAtBoot {
      description = "Go on with the run that rebooted this machine";
      wantedBy = [ "multi-user.target" ];
      after = [ "network-online.target" ];
      wants = [ "network-online.target" ];
      unitConfig = {
        RequiresMountsFor = lib.optional localPath cfg.flake ++ [ cfg.stateDir ];
        # Before the first run there is nothing to go on with.
        ConditionPathExists = "${cfg.stateDir}/journal.db";
      };
      restartIfChanged = false;
      stopIfChanged = false;
      inherit path;
      environment = {
        LAB_STATE_DIR = cfg.stateDir;
        LAB_RESUMES_AT_BOOT = "1";
      };
      script = "exec ${cfg.package}/bin/lab resume --at-boot";
      serviceConfig = {
        # The boot does not wait for the fleet.
        Type = "exec";
        User = cfg.user;
        OOMPolicy = "continue";
        KillMode = "mixed";
        TimeoutStopSec = "2min";
      }
      // lib.optionalAttrs ownStateDir {
        StateDirectory = lib.removePrefix "/var/lib/" cfg.stateDir;
        StateDirectoryMode = "0700";
      };
    };

    systemd.timers.lab-orchestrator = {
      description = "When the fleet is updated, deployed and rebooted";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = cfg.schedule;
        Persistent = cfg.persistent;
        RandomizedDelaySec = cfg.randomizedDelay;
      };
    };
  };
}
