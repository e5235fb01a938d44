# Evaluated by schema.test.ts: what the options of lab.machine say of themselves, and what becomes of values given to
# them. `cases` is a list of values of `lab.machine`.
{
  checkout,
  cases,
}:
let
  nixpkgs = (import (checkout + "/test/nixpkgs-stand-in/flake.nix")).outputs { };
  fleet = import (checkout + "/nix/fleet.nix");
  system =
    modules:
    nixpkgs.lib.nixosSystem {
      modules = modules ++ [
        {
          nixpkgs.hostPlatform = "x86_64-linux";
          networking.hostName = "box";
        }
      ];
    };
  module = checkout + "/nix/modules/lab-machine.nix";
  record = configuration: builtins.head (fleet [ "box" ] { box = configuration; });
  machine =
    value:
    record (system [
      module
      { lab.machine = value; }
    ]);

  leaves =
    path: set:
    if (set._type or null) == "option" then
      [
        {
          path = builtins.concatStringsSep "." path;
          type = set.type.description;
          internal = set.internal or false;
        }
      ]
    else
      builtins.concatLists (
        map (name: leaves (path ++ [ name ]) set.${name}) (
          builtins.filter (name: builtins.substring 0 1 name != "_") (builtins.attrNames set)
        )
      );
  options = (system [ module ]).options.lab.machine;

  attempt =
    value:
    let
      tried = builtins.tryEval (builtins.toJSON value);
    in
    if tried.success then builtins.fromJSON tried.value else null;
in
{
  options = leaves [ ] options;
  checkOptions = leaves [ ] (options.healthChecks.type.getSubOptions [ ]);
  limits = import (checkout + "/nix/modules/limits.nix");
  bare = record (system [ module ]);
  withoutModule = record (system [ ]);
  results = map (value: attempt (machine value)) cases;
}
