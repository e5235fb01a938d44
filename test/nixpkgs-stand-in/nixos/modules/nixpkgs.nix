{ config, lib, pkgs, ... }:
{
  options = {
    nixpkgs = {
      hostPlatform = lib.mkOption {
        type = lib.types.either lib.types.str lib.types.attrs;
        example = "x86_64-linux";
        apply = given: if builtins.isString given then { system = given; } else given;
        description = "What the machine is.";
      };
      config = lib.mkOption {
        type = lib.types.attrs;
        default = { };
        description = "Taken and not heeded.";
      };
      overlays = lib.mkOption {
        type = lib.types.listOf lib.types.unspecified;
        default = [ ];
        description = "Taken and not heeded.";
      };
    };
    nix = {
      package = lib.mkOption {
        type = lib.types.package;
        default = pkgs.nix;
        description = "The Nix of the machine.";
      };
      settings = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
        description = "Taken and not heeded.";
      };
      gc = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
        description = "Taken and not heeded.";
      };
    };
    system = {
      stateVersion = lib.mkOption {
        type = lib.types.str;
        default = lib.trivial.release;
        description = "The release the machine was installed with.";
      };
      name = lib.mkOption {
        type = lib.types.str;
        default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
        description = "The name in the store path of the system.";
      };
      nixos = {
        release = lib.mkOption {
          type = lib.types.str;
          readOnly = true;
          default = lib.trivial.release;
          description = "The release.";
        };
        version = lib.mkOption {
          type = lib.types.str;
          default = lib.version;
          description = "What `nixos-version` says.";
        };
        label = lib.mkOption {
          type = lib.types.str;
          default = config.system.nixos.version;
          description = "What the boot menu says.";
        };
      };
      build = lib.mkOption {
        type = lib.types.lazyAttrsOf lib.types.unspecified;
        default = { };
        description = "What is built of this configuration; `toplevel` is the whole system.";
      };
    };
  };
}
