# What a test turns to make a machine do as it needs. None of these exists outside the stand-in.
{ lib, ... }:
let
  inherit (lib) types;
in
{
  options.lab-stand-in = {
    kernelVersion = lib.mkOption {
      type = types.str;
      default = "6.12.1";
      description = "Another version is another `kernel`, `kernel-modules` and `initrd`: a reason to reboot.";
    };
    initrdVersion = lib.mkOption {
      type = types.str;
      default = "1";
      description = "Another version is another `initrd` alone.";
    };
    systemdVersion = lib.mkOption {
      type = types.str;
      default = "257.1";
      description = "Another version is another `systemd`. The hosts run Debian's all the same.";
    };
    generation = lib.mkOption {
      type = types.str;
      default = "";
      description = "Any text: another text is another toplevel that needs no reboot.";
    };
    payloadMiB = lib.mkOption {
      type = types.ints.between 0 4096;
      default = 0;
      description = "How much the closure weighs more, anew in every `generation`, for copies that take a while.";
    };
    switchExitCode = lib.mkOption {
      type = types.ints.between 0 255;
      default = 0;
      description = ''
        What `switch-to-configuration switch` and `test` end with, having done what NixOS has done by then:
        1: nothing (a pre-switch check said no; `boot` says so too) · 2: everything, though the activation
        script complained · 4: everything, and a unit failed · 100: the boot entry only (the init interface
        changed) · any other: everything.
      '';
    };
    switchSeconds = lib.mkOption {
      type = types.ints.between 0 3600;
      default = 0;
      description = "How long `switch` and `test` stay in the activation.";
    };
    failedUnit = lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "broken.service";
      description = "A unit that fails whenever it starts: the machine is degraded, and a switch ends with 4.";
    };
    units = lib.mkOption {
      type = types.attrsOf types.lines;
      default = { };
      example = lib.literalExpression ''{ "sleepy.service" = "[Service]\nExecStart=/bin/sleep infinity\n"; }'';
      description = "Unit files as they stand. A `WantedBy=` in them is heeded.";
    };
    switchInhibitors = lib.mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Written to `switch-inhibitors` as JSON when there are any.";
    };
    listeners = lib.mkOption {
      default = { };
      description = ''
        Units that really listen, so that health checks have something to ask: HTTP answers 200 and `ok` to
        every request, TCP takes the connection. The services below come with theirs.
      '';
      type = types.attrsOf (
        types.submodule {
          options = {
            http = lib.mkOption {
              type = types.listOf types.port;
              default = [ ];
              description = "Ports that answer HTTP.";
            };
            tcp = lib.mkOption {
              type = types.listOf types.port;
              default = [ ];
              description = "Ports that take a connection.";
            };
            body = lib.mkOption {
              type = types.str;
              default = "ok";
              description = "What HTTP answers.";
            };
          };
        }
      );
    };
  };
}
