# What `nix flake check` does beyond looking at the outputs. The VM test needs KVM.
{ self, nixpkgs, pkgs }:
let
  inherit (nixpkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;

  evaluate =
    module:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        {
          nixpkgs.hostPlatform = system;
          networking.hostName = "checked";
          boot.loader.grub.enable = false;
          fileSystems."/".device = "/dev/vda";
          system.stateVersion = "26.05";
        }
        module
      ];
    };
  bare = (evaluate { }).config;
  described =
    (evaluate {
      lab.machine = {
        role = "application-server";
        rebootOrder = 1;
        healthChecks = [
          {
            type = "tcp";
            port = 5432;
          }
        ];
        orchestration.rebootDelay = 0;
      };
    }).config;
  wrong =
    (evaluate {
      lab.machine.dependencies = [ "checked" ];
    }).config;
in
{
  # The modules on this nixpkgs: bare, described and wrong. Evaluated, not built.
  modules =
    assert bare.lab.machine.role == null && bare.lab.machine.problems == [ ];
    assert !bare.lab.machine.orchestration.rebootDelayIsOwn;
    assert described.lab.machine.orchestration.rebootDelayIsOwn;
    assert
      wrong.lab.machine.problems == [
        "machine checked: lab.machine.dependencies names the machine itself"
      ];
    described.environment.etc."lab-machine-metadata.json".source;

  # Every machine of hosts/ on this nixpkgs: evaluated down to its derivation, not built.
  hosts = pkgs.writeText "hosts" (
    lib.concatLines (
      lib.mapAttrsToList (
        name: host:
        "${name} ${builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath}"
      ) self.nixosConfigurations
    )
  );
}
// lib.optionalAttrs (pkgs ? testers) {
  # On a booted NixOS: the metadata is there, the timer waits, and a run that fails is a failed unit.
  vm = pkgs.testers.runNixOSTest {
    name = "lab-orchestrator";
    nodes.machine = {
      imports = [ self.nixosModules.default ];
      lab.machine.role = "workstation";
      services.lab-orchestrator = {
        enable = true;
        flake = "/srv/lab";
      };
      systemd.tmpfiles.rules = [ "d /srv/lab" ];
    };
    testScript = ''
      import json

      machine.wait_for_unit("timers.target")
      metadata = json.loads(machine.succeed("cat /etc/lab-machine-metadata.json"))
      assert metadata["hostname"] == "machine" and metadata["role"] == "workstation", metadata
      machine.succeed("systemctl is-active lab-orchestrator.timer")
      # An empty folder is no flake.
      machine.fail("systemctl start lab-orchestrator.service")
      machine.succeed("systemctl is-failed lab-orchestrator.service")
      machine.succeed("test -d /var/lib/lab")
    '';
  };
}
