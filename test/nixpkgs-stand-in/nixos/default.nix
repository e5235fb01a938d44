# `lib.nixosSystem`: the stand-in's own modules plus the machine's.
{ lib, packages }:
{
  modules,
  system ? null,
  specialArgs ? { },
  ...
}:
let
  platform =
    { config, ... }:
    {
      _file = "nixos/default.nix";
      config = {
        _module.args.pkgs =
          packages.${config.nixpkgs.hostPlatform.system}
            or (throw "the stand-in for nixpkgs has no packages for `${config.nixpkgs.hostPlatform.system}'");
        nixpkgs = lib.optionalAttrs (system != null) { hostPlatform = lib.mkOptionDefault system; };
      };
    };
  evaluated = lib.evalModules {
    class = "nixos";
    specialArgs = {
      modulesPath = toString ./modules;
    }
    // specialArgs;
    modules = import ./modules ++ [ platform ] ++ modules;
  };
  complete =
    configuration:
    configuration
    // {
      inherit lib;
      inherit (configuration._module.args) pkgs;
      extendModules = more: complete (configuration.extendModules more);
    };
in
complete evaluated
