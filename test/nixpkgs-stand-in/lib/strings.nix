{ lib }:
let
  inherit (builtins) stringLength substring;
in
{
  inherit (builtins)
    concatStringsSep
    match
    replaceStrings
    split
    stringLength
    substring
    unsafeDiscardStringContext
    ;

  concatStrings = builtins.concatStringsSep "";
  concatLines = lines: lib.concatStrings (map (line: line + "\n") lines);
  concatMapStrings = f: list: lib.concatStrings (map f list);
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (map f list);
  concatImapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (lib.imap1 f list);
  concatMapAttrsStringSep =
    separator: f: set:
    builtins.concatStringsSep separator (lib.mapAttrsToList f set);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      at = stringLength text - stringLength suffix;
    in
    at >= 0 && substring at (-1) text == suffix;
  hasInfix =
    infix: text: builtins.replaceStrings [ infix ] [ "" ] text != text || infix == "";
  removePrefix =
    prefix: text: if lib.hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if lib.hasSuffix suffix text then
      substring 0 (stringLength text - stringLength suffix) text
    else
      text;
  escapeRegex = builtins.replaceStrings (lib.stringToCharacters "\\[{()^$?*+|.") (
    map (c: "\\${c}") (lib.stringToCharacters "\\[{()^$?*+|.")
  );
  stringToCharacters = text: builtins.genList (n: substring n 1 text) (stringLength text);
  splitString =
    separator: text: builtins.filter builtins.isString (builtins.split (lib.escapeRegex separator) text);
  escape = characters: builtins.replaceStrings characters (map (c: "\\${c}") characters);
  escapeShellArg =
    value:
    let
      text = toString value;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" text != null then
      text
    else
      "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = lib.concatMapStringsSep " " lib.escapeShellArg;
  boolToString = value: if value then "true" else "false";
  trim =
    text:
    let
      found = builtins.match "[[:space:]]*(.*[^[:space:]])[[:space:]]*" text;
    in
    if found == null then "" else builtins.head found;
  toInt =
    text:
    let
      value = builtins.fromJSON text;
    in
    if builtins.match "-?(0|[1-9][0-9]*)" text != null && builtins.isInt value then
      value
    else
      throw "toInt: Could not convert ${builtins.toJSON text} to int.";
  isStringLike =
    value: builtins.isString value || builtins.isPath value || value ? outPath || value ? __toString;
  isStorePath =
    value: lib.isStringLike value && builtins.match "${builtins.storeDir}/[^/]+" "${toString value}" != null;

  generators.toPretty = _: lib.showValue;
}
