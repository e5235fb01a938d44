# Declaring options, the marks that definitions carry (mkIf, mkForce …), and words for error messages.
{ lib }:
{
  mkOption = attrs: attrs // { _type = "option"; };
  isOption = value: value._type or null == "option";
  isType = type: value: value._type or null == type;

  mkEnableOption =
    name:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${name}.";
    };
  mkPackageOption =
    pkgs: name: _:
    lib.mkOption {
      type = lib.types.package;
      default = pkgs.${name};
      defaultText = "pkgs.${name}";
      description = "The ${name} package to use.";
    };

  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  mdDoc = text: text;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  # Lower wins. A definition without a mark has 100.
  defaultOverridePriority = 100;
  mkOptionDefault = lib.mkOverride 1500;
  mkDefault = lib.mkOverride 1000;
  mkImageMediaOverride = lib.mkOverride 60;
  mkForce = lib.mkOverride 50;
  mkVMOverride = lib.mkOverride 10;
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = lib.mkOrder 500;
  mkAfter = lib.mkOrder 1500;

  # Modules that say what became of an option.
  mkRemovedOptionModule = path: instead: { options, ... }: {
    options = lib.setAttrByPath path (
      lib.mkOption {
        visible = false;
        apply =
          _:
          throw "The option `${lib.showOption path}' can no longer be used since it's been removed. ${instead}";
      }
    );
    config.assertions =
      let
        option = lib.getAttrFromPath path options;
      in
      [
        {
          assertion = !option.isDefined;
          message = "The option definition `${lib.showOption path}' in ${lib.showFiles option.files} no longer has any effect; please remove it.\n${instead}";
        }
      ];
  };
  mkRenamedOptionModule = from: to: { config, options, ... }: {
    options = lib.setAttrByPath from (
      lib.mkOption {
        visible = false;
        description = "Alias of {option}`${lib.showOption to}`.";
        apply =
          _: lib.warn "Obsolete option `${lib.showOption from}' is used. It was renamed to `${lib.showOption to}'." (
            lib.getAttrFromPath to config
          );
      }
    );
    config = lib.mkIf (lib.getAttrFromPath from options).isDefined (
      lib.setAttrByPath to (lib.mkMerge (lib.getAttrFromPath from options).definitions)
    );
  };

  # `[ "a" "b.c" "*" ]` as people write it: a."b.c".*
  showOption =
    let
      part =
        name:
        if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*|[*]|<.*>" name != null then name else builtins.toJSON name;
    in
    lib.concatMapStringsSep "." part;
  showFiles = lib.concatMapStringsSep " and " (file: "`${file}'");
  showDefs = lib.concatMapStrings (
    def:
    let
      shown = builtins.tryEval (lib.showValue def.value);
    in
    "\n- In `${def.file}'${lib.optionalString shown.success ": ${shown.value}"}"
  );

  # A value on one line, as far as it is cheap and short to say.
  showValue =
    let
      show =
        depth: value:
        {
          null = "null";
          bool = lib.boolToString value;
          int = toString value;
          float = toString value;
          string = builtins.toJSON value;
          path = toString value;
          lambda = "<function>";
          list =
            if value == [ ] then
              "[ ]"
            else if depth == 0 then
              "[ … ]"
            else
              "[ ${lib.concatMapStringsSep " " (show (depth - 1)) value} ]";
          set =
            if lib.isDerivation value then
              "<derivation ${value.name or "?"}>"
            else if value == { } then
              "{ }"
            else if depth == 0 then
              "{ … }"
            else
              "{ ${
                lib.concatMapAttrsStringSep " " (name: item: "${name} = ${show (depth - 1) item};") value
              } }";
        }
        .${builtins.typeOf value};
    in
    value:
    let
      text = show 4 value;
    in
    if builtins.stringLength text > 300 then "${builtins.substring 0 300 text} …" else text;
}
