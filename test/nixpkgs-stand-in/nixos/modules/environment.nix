{ lib, pkgs, ... }:
{
  options.environment = {
    etc = lib.mkOption {
      default = { };
      description = "Files below /etc.";
      type = lib.types.attrsOf (
        lib.types.submodule (
          { config, name, options, ... }:
          {
            options = {
              enable = lib.mkOption {
                type = lib.types.bool;
                default = true;
                description = "Whether the file is there.";
              };
              target = lib.mkOption {
                type = lib.types.str;
                default = name;
                description = "Its path below /etc.";
              };
              text = lib.mkOption {
                type = lib.types.nullOr lib.types.lines;
                default = null;
                description = "Its text.";
              };
              source = lib.mkOption {
                type = lib.types.path;
                description = "The file itself.";
              };
            };
            config.source = lib.mkIf (config.text != null) (
              lib.mkOverride options.text.highestPrio (
                pkgs.writeText "etc-${builtins.replaceStrings [ "/" ] [ "-" ] name}" config.text
              )
            );
          }
        )
      );
    };
    systemPackages = lib.mkOption {
      type = lib.types.listOf lib.types.package;
      default = [ ];
      description = "Packages whose programs everybody has.";
    };
    variables = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      default = { };
      description = "Taken and not heeded.";
    };
  };
}
