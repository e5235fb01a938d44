# Everything a machine of the stand-in is made of.
[
  ./assertions.nix
  ./environment.nix
  ./knobs.nix
  ./nixpkgs.nix
  ./plain-options.nix
  ./services.nix
  ./systemd.nix
  ./toplevel.nix
]
