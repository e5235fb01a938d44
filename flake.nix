{
  description = "lab: flake in, healthy rebooted fleet out";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forSystems = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});

      # The machines: folders of hosts/ that hold a configuration.nix.
      hosts = builtins.filter (name: builtins.pathExists (./hosts + "/${name}/configuration.nix")) (
        builtins.attrNames (builtins.readDir ./hosts)
      );
    in
    {
      nixosConfigurations = lib.genAttrs hosts (
        name:
        lib.nixosSystem {
          modules = [
            self.nixosModules.default
            (./hosts + "/${name}/configuration.nix")
          ];
        }
      );

      nixosModules = {
        # Sets, not paths: Nix before 2.9 checks for a set or function. As paths inside, they are imported once
        # however often they are named.
        lab-machine.imports = [ ./nix/modules/lab-machine.nix ];
        lab-orchestrator.imports = [ ./nix/modules/lab-orchestrator.nix ];
        default.imports = [
          ./nix/modules/lab-machine.nix
          ./nix/modules/lab-orchestrator.nix
        ];
      };

      packages = forSystems (pkgs: rec {
        lab = pkgs.callPackage ./nix/package.nix { };
        default = lab;
      });

      apps = forSystems (
        pkgs:
        let
          lab' = self.packages.${pkgs.stdenv.hostPlatform.system}.lab;
          app = description: program: {
            type = "app";
            inherit program;
            meta = { inherit description; };
          };
        in
        rec {
          lab = app "The fleet's screen and commands" "${lab'}/bin/lab";
          default = lab;
          demo = app "The same screen over a simulated fleet" "${
            pkgs.writeShellScript "lab-demo" ''exec ${lab'}/bin/lab demo "$@"''
          }";
        }
      );

      checks = forSystems (pkgs: import ./nix/checks.nix { inherit self nixpkgs pkgs; });

      formatter = forSystems (pkgs: pkgs.nixfmt-tree);
    };
}
