{
  description = "Stands in for nixpkgs where there is no internet: enough of its lib, its packages and NixOS for the tests of this project. Not nixpkgs, and of no use for real machines.";

  outputs =
    _:
    let
      lib = import ./lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      packages = lib.genAttrs systems (system: import ./packages.nix { inherit lib system; });
    in
    {
      lib = lib // {
        nixosSystem = import ./nixos { inherit lib packages; };
      };
      legacyPackages = packages;
    };
}
