# A flake as people write one who use `lab` from another flake. Its machines are described in machines.json, so that
# tests change them as data:
#   NAME.example  one of the machines of hosts/, by name; without it, an empty machine called NAME
#   NAME.config   what its configuration adds
#   NAME.force    what its configuration says against everything else (lib.mkForce)
#   NAME.program  the words that run lab on it: its services.lab-orchestrator.package has a bin/lab that does
{
  # Both addresses are filled in where this file is copied to.
  inputs.nixpkgs.url = "@nixpkgs@";
  inputs.lab.url = "@lab@";
  inputs.lab.inputs.nixpkgs.follows = "nixpkgs";

  outputs =
    { nixpkgs, lab, ... }:
    let
      inherit (nixpkgs) lib;
      empty =
        name:
        lib.nixosSystem {
          modules = [
            lab.nixosModules.default
            {
              networking.hostName = lib.mkDefault name;
              nixpkgs.hostPlatform = lib.mkDefault "@system@";
              system.stateVersion = "26.05";
            }
          ];
        };
      configurationOf =
        name: machine:
        (if machine ? example then lab.nixosConfigurations.${machine.example} else empty name).extendModules {
          modules = [
            { config = machine.config or { }; }
            { config = lib.mapAttrsRecursive (_: lib.mkForce) (machine.force or { }); }
            (
              { pkgs, ... }:
              lib.mkIf (machine ? program) {
                services.lab-orchestrator.package = pkgs.writeShellScriptBin "lab" ''exec ${lib.escapeShellArgs machine.program} "$@"'';
              }
            )
          ];
        };
    in
    {
      nixosConfigurations = builtins.mapAttrs configurationOf (
        builtins.fromJSON (builtins.readFile ./machines.json)
      );
    };
}
