{ lib }:
{
  inherit (builtins) mapAttrs zipAttrsWith catAttrs;

  nameValuePair = name: value: { inherit name value; };
  mapAttrs' =
    f: set: builtins.listToAttrs (map (name: f name set.${name}) (builtins.attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
  concatMapAttrs =
    f: set: builtins.foldl' (sum: more: sum // more) { } (lib.mapAttrsToList f set);
  attrsToList = lib.mapAttrsToList lib.nameValuePair;
  filterAttrs =
    keep: set:
    builtins.removeAttrs set (builtins.filter (name: !keep name set.${name}) (builtins.attrNames set));
  genAttrs = names: f: builtins.listToAttrs (map (name: lib.nameValuePair name (f name)) names);
  getAttrs = names: set: lib.genAttrs names (name: set.${name});
  optionalAttrs = condition: set: if condition then set else { };
  mergeAttrsList = builtins.foldl' (sum: more: sum // more) { };

  attrByPath =
    path: otherwise: set:
    if path == [ ] then
      set
    else if set ? ${builtins.head path} then
      lib.attrByPath (builtins.tail path) otherwise set.${builtins.head path}
    else
      otherwise;
  hasAttrByPath =
    path: set:
    path == [ ]
    || (set ? ${builtins.head path} && lib.hasAttrByPath (builtins.tail path) set.${builtins.head path});
  getAttrFromPath =
    path: lib.attrByPath path (throw "cannot find attribute `${builtins.concatStringsSep "." path}'");
  setAttrByPath =
    path: value:
    if path == [ ] then
      value
    else
      { ${builtins.head path} = lib.setAttrByPath (builtins.tail path) value; };

  recursiveUpdate =
    left: right:
    if builtins.isAttrs left && builtins.isAttrs right then
      left
      // builtins.mapAttrs (
        name: value: if left ? ${name} then lib.recursiveUpdate left.${name} value else value
      ) right
    else
      right;
  mapAttrsRecursiveCond =
    descend: f:
    let
      walk =
        path:
        builtins.mapAttrs (
          name: value:
          if builtins.isAttrs value && descend value then
            walk (path ++ [ name ]) value
          else
            f (path ++ [ name ]) value
        );
    in
    walk [ ];
  mapAttrsRecursive = lib.mapAttrsRecursiveCond (_: true);
}
