# systemd units as NixOS describes them, written as unit files: services and timers.
{ config, lib, pkgs, ... }:
let
  inherit (lib) types;
  names = description:
    lib.mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  section = lib.mkOption {
    type = types.attrsOf types.anything;
    default = { };
    description = "Lines of this section.";
  };
  common = {
    enable = lib.mkOption {
      type = types.bool;
      default = true;
      description = "Whether the unit is there.";
    };
    description = lib.mkOption {
      type = types.str;
      default = "";
      description = "Description.";
    };
    documentation = names "Documentation.";
    after = names "After.";
    before = names "Before.";
    requires = names "Requires.";
    wants = names "Wants.";
    bindsTo = names "BindsTo.";
    partOf = names "PartOf.";
    conflicts = names "Conflicts.";
    onFailure = names "OnFailure.";
    wantedBy = names "Units that want this one.";
    requiredBy = names "Units that require this one.";
    unitConfig = section;
  };

  word = value: if builtins.isBool value then lib.boolToString value else toString value;
  lines =
    attrs:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: value:
        lib.concatMapStrings (item: "${name}=${word item}\n") (
          if value == null then [ ] else lib.toList value
        )
      ) attrs
    );
  quote = text: ''"${builtins.replaceStrings [ "\\" ''"'' "\n" "%" ] [ "\\\\" ''\"'' "\\n" "%%" ] text}"'';
  unitSection =
    unit:
    "[Unit]\n"
    + lines (
      {
        Description = lib.optional (unit.description != "") unit.description;
      }
      // lib.filterAttrs (_: value: value != "") (
        builtins.mapAttrs (_: toString) {
          Documentation = unit.documentation;
          After = unit.after;
          Before = unit.before;
          Requires = unit.requires;
          Wants = unit.wants;
          BindsTo = unit.bindsTo;
          PartOf = unit.partOf;
          Conflicts = unit.conflicts;
          OnFailure = unit.onFailure;
        }
      )
      // unit.unitConfig
    );
  installSection =
    unit:
    lib.optionalString (unit.wantedBy ++ unit.requiredBy != [ ]) (
      "\n[Install]\n"
      + lines {
        WantedBy = unit.wantedBy;
        RequiredBy = unit.requiredBy;
      }
    );

  serviceText =
    unit:
    unitSection unit
    + "\n[Service]\n"
    + lines (
      {
        Environment = lib.mapAttrsToList (name: value: quote "${name}=${toString value}") (
          {
            PATH = "${lib.makeBinPath unit.path}:${lib.makeSearchPath "sbin" unit.path}";
          }
          // lib.filterAttrs (_: value: value != null) unit.environment
        );
      }
      // lib.optionalAttrs (!unit.restartIfChanged) { X-RestartIfChanged = false; }
      // lib.optionalAttrs (!unit.stopIfChanged) { X-StopIfChanged = false; }
      // lib.optionalAttrs (unit.restartTriggers != [ ]) {
        X-Restart-Triggers = toString unit.restartTriggers;
      }
      // unit.serviceConfig
    )
    + installSection unit;
  timerText = unit: unitSection unit + "\n[Timer]\n" + lines unit.timerConfig + installSection unit;

  enabled = lib.filterAttrs (_: unit: unit.enable);
in
{
  options.systemd = {
    services = lib.mkOption {
      default = { };
      description = "Services by name, without `.service`.";
      type = types.attrsOf (
        types.submodule (
          { config, name, ... }:
          {
            options = common // {
              environment = lib.mkOption {
                type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
                default = { };
                description = "Environment variables.";
              };
              path = lib.mkOption {
                type = types.listOf (types.either types.package types.str);
                default = [ ];
                description = "Packages in PATH, before the few every service has.";
              };
              script = lib.mkOption {
                type = types.lines;
                default = "";
                description = "The main process, as a shell script.";
              };
              preStart = lib.mkOption {
                type = types.lines;
                default = "";
                description = "A shell script run before.";
              };
              serviceConfig = section;
              startAt = lib.mkOption {
                type = types.coercedTo types.str lib.singleton (types.listOf types.str);
                default = [ ];
                description = "When a timer of the same name starts it.";
              };
              restartIfChanged = lib.mkOption {
                type = types.bool;
                default = true;
                description = "Whether a switch that changes the unit restarts it.";
              };
              stopIfChanged = lib.mkOption {
                type = types.bool;
                default = true;
                description = "Whether that restart is a stop before the switch and a start after it.";
              };
              restartTriggers = lib.mkOption {
                type = types.listOf types.unspecified;
                default = [ ];
                description = "Whatever changes the unit when it changes.";
              };
            };
            config = {
              path = lib.mkAfter [
                pkgs.coreutils
                pkgs.findutils
                pkgs.gnugrep
                pkgs.gnused
                pkgs.systemd
              ];
              serviceConfig = lib.mkMerge [
                (lib.mkIf (config.script != "") {
                  ExecStart = "${pkgs.writeShellScript "unit-script-${name}-start" "set -e\n${config.script}"}";
                })
                (lib.mkIf (config.preStart != "") {
                  ExecStartPre = "${pkgs.writeShellScript "unit-script-${name}-pre-start" "set -e\n${config.preStart}"}";
                })
              ];
            };
          }
        )
      );
    };
    timers = lib.mkOption {
      default = { };
      description = "Timers by name, without `.timer`.";
      type = types.attrsOf (types.submodule { options = common // { timerConfig = section; }; });
    };
    units = lib.mkOption {
      internal = true;
      readOnly = true;
      type = types.attrsOf types.str;
      description = "The text of every unit file by its name.";
    };
  };

  config.systemd = {
    timers = lib.mapAttrs' (
      name: service:
      lib.nameValuePair name {
        wantedBy = [ "timers.target" ];
        timerConfig.OnCalendar = service.startAt;
      }
    ) (lib.filterAttrs (_: service: service.startAt != [ ]) (enabled config.systemd.services));
    units =
      lib.mapAttrs' (name: unit: lib.nameValuePair "${name}.service" (serviceText unit)) (
        enabled config.systemd.services
      )
      // lib.mapAttrs' (name: unit: lib.nameValuePair "${name}.timer" (timerText unit)) (
        enabled config.systemd.timers
      )
      // lib.optionalAttrs (config.lab-stand-in.failedUnit != null) {
        ${config.lab-stand-in.failedUnit} = ''
          [Unit]
          Description=Fails whenever it starts

          [Service]
          Type=oneshot
          RemainAfterExit=true
          ExecStart=/bin/sh -c 'echo "told to fail" >&2; exit 1'

          [Install]
          WantedBy=multi-user.target
        '';
      }
      // config.lab-stand-in.units;
  };
}
