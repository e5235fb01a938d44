# The stand-in's `lib`: the functions that the project's modules and hosts use, under the names nixpkgs gives
# them, plus a small module system. Every part gets the whole, lazily.
let
  parts = [
    ./basics.nix
    ./attrsets.nix
    ./strings.nix
    ./options.nix
    ./types.nix
    ./modules.nix
  ];
  lib = builtins.foldl' (sum: part: sum // import part { inherit lib; }) { } parts;
in
lib
