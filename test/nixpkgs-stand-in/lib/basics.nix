# Values, lists, warnings and paths.
{ lib }:
{
  inherit (builtins)
    add
    all
    any
    attrNames
    attrValues
    bitAnd
    ceil
    concatLists
    concatMap
    deepSeq
    div
    elem
    elemAt
    filter
    floor
    foldl'
    functionArgs
    genList
    getAttr
    groupBy
    hasAttr
    head
    intersectAttrs
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    lessThan
    listToAttrs
    mul
    partition
    pathExists
    readFile
    removeAttrs
    seq
    sort
    sub
    tail
    toJSON
    typeOf
    ;

  # The release whose options the stand-in imitates, as `lib.version` and `lib.trivial.release` say it.
  version = "26.05.stand-in";
  trivial = {
    version = "26.05.stand-in";
    release = "26.05";
  };
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: builtins.compareVersions b a != 1;

  id = x: x;
  const = x: _: x;
  flip = f: a: b: f b a;
  pipe = builtins.foldl' (x: f: f x);
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  fix =
    f:
    let
      x = f x;
    in
    x;
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  fileContents = path: lib.removeSuffix "\n" (builtins.readFile path);

  toList = x: if builtins.isList x then x else [ x ];
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  singleton = x: [ x ];
  last = list: builtins.elemAt list (builtins.length list - 1);
  init = list: lib.take (builtins.length list - 1) list;
  take =
    count: list: builtins.genList (builtins.elemAt list) (lib.min count (builtins.length list));
  drop =
    count: list:
    builtins.genList (n: builtins.elemAt list (n + count)) (lib.max 0 (builtins.length list - count));
  range = first: last: if first > last then [ ] else builtins.genList (n: first + n) (last - first + 1);
  imap0 = f: list: builtins.genList (n: f n (builtins.elemAt list n)) (builtins.length list);
  imap1 = f: list: builtins.genList (n: f (n + 1) (builtins.elemAt list n)) (builtins.length list);
  foldr =
    f: nul: list:
    let
      from = n: if n == builtins.length list then nul else f (builtins.elemAt list n) (from (n + 1));
    in
    from 0;
  reverseList =
    list:
    let
      count = builtins.length list;
    in
    builtins.genList (n: builtins.elemAt list (count - n - 1)) count;
  flatten = x: if builtins.isList x then builtins.concatMap lib.flatten x else [ x ];
  unique = builtins.foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  allUnique = list: builtins.length (lib.unique list) == builtins.length list;
  subtractLists = without: builtins.filter (x: !builtins.elem x without);
  intersectLists = with': builtins.filter (x: builtins.elem x with');
  count = predicate: list: builtins.length (builtins.filter predicate list);
  findFirst =
    predicate: otherwise: list:
    let
      found = builtins.filter predicate list;
    in
    if found == [ ] then otherwise else builtins.head found;

  warn = message: value: builtins.trace "warning: ${message}" value;
  warnIf = condition: message: if condition then lib.warn message else lib.id;
  throwIf = condition: message: if condition then throw message else lib.id;
  throwIfNot = condition: message: if condition then lib.id else throw message;
  assertMsg = condition: message: condition || throw message;

  isDerivation = value: value.type or null == "derivation";
  getBin = package: package;
  getExe = package: "${package}/bin/${package.meta.mainProgram or package.pname or package.name}";
  getExe' = package: program: "${package}/bin/${program}";
  makeBinPath = packages: lib.makeSearchPath "bin" packages;
  makeSearchPath =
    folder: packages:
    builtins.concatStringsSep ":" (map (package: "${package}/${folder}") (builtins.filter (p: p != null) packages));

  platforms.linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
  licenses = {
    mit = {
      spdxId = "MIT";
      free = true;
    };
  };
}
