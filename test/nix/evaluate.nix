# Evaluates the cases with a given `lib`, as modules beside lab-machine.nix and the few options that it needs.
{ lib }:
let
  cases = import ./cases.nix { inherit lib; };
  surroundings = {
    options = {
      assertions = lib.mkOption { type = lib.types.listOf lib.types.unspecified; };
      environment.etc = lib.mkOption { type = lib.types.attrsOf lib.types.raw; };
      networking.hostName = lib.mkOption { type = lib.types.str; };
    };
    config = {
      networking.hostName = "box";
      _module.args.pkgs.formats.json = _: { generate = _: builtins.toJSON; };
    };
  };
  evaluate =
    case:
    (lib.evalModules {
      modules = [
        surroundings
        ../../nix/modules/lab-machine.nix
        case
      ];
    }).config;
  seen = config: {
    machine = config.lab.machine;
    inherit (config) assertions;
    metadata = builtins.fromJSON config.environment.etc."lab-machine-metadata.json".source;
  };
in
{
  # Every case as a value, or null where it does not evaluate.
  table = builtins.mapAttrs (
    _:
    builtins.mapAttrs (
      _: case:
      let
        json = builtins.tryEval (builtins.toJSON (seen (evaluate case)));
      in
      if json.success then builtins.fromJSON json.value else null
    )
  ) cases;
  # One refused case, for its message.
  refused = name: seen (evaluate cases.refused.${name});
}
