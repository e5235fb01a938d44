# Option types. A type says what it is (`description`), what it takes (`check`) and how several definitions
# become one value (`merge`, given the option's path and `[ { file; value; } ]`).
{ lib }:
let
  inherit (builtins)
    all
    any
    concatLists
    elem
    filter
    head
    isAttrs
    isFunction
    isInt
    isString
    length
    match
    stringLength
    typeOf
    ;

  mkOptionType =
    {
      name,
      description ? name,
      check ? _: true,
      merge ? mergeOne,
      emptyValue ? { },
      getSubOptions ? _: { },
      nestedTypes ? { },
      ...
    }@type:
    {
      _type = "option-type";
      inherit
        name
        description
        check
        merge
        emptyValue
        getSubOptions
        nestedTypes
        ;
    }
    // type;

  hint = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  mergeOne =
    loc: defs:
    if length defs == 1 then
      (head defs).value
    else
      throw "The option `${lib.showOption loc}' is defined multiple times while it's expected to be unique. Definition values:${lib.showDefs defs}\n${hint}";

  mergeEqual =
    loc: defs:
    let
      first = head defs;
      other = filter (def: def.value != first.value) defs;
    in
    if length defs == 1 || other == [ ] then
      first.value
    else
      throw "The option `${lib.showOption loc}' has conflicting definition values:${
        lib.showDefs [
          first
          (head other)
        ]
      }\n${hint}";

  values = map (def: def.value);

  # The definitions of every element, whether a list's or a set's, go through the element's own type.
  element =
    loc: type: defs:
    lib.mergeDefinitions loc type defs;

  scalar =
    name: description: check:
    mkOptionType {
      inherit name description check;
      merge = mergeEqual;
    };

  # A description inside another: in brackets where it is a sentence part of its own.
  composite =
    type: if type.isComposed or false then "(${type.description})" else type.description;

  int = scalar "int" "signed integer" isInt;
  str = scalar "str" "string" isString;
  intWhere =
    name: description: check:
    types.addCheck int check // { inherit name description; };

  attrsOfWith =
    lazy: elemType:
    mkOptionType {
      name = if lazy then "lazyAttrsOf" else "attrsOf";
      description = "${if lazy then "lazy " else ""}attribute set of ${composite elemType}";
      check = isAttrs;
      emptyValue.value = { };
      nestedTypes.elemType = elemType;
      getSubOptions = loc: elemType.getSubOptions (loc ++ [ "<name>" ]);
      merge =
        loc: defs:
        let
          byName = builtins.zipAttrsWith (name: element (loc ++ [ name ]) elemType) (
            concatLists (
              map (
                def:
                map (builtins.mapAttrs (
                  _: value: {
                    inherit (def) file;
                    inherit value;
                  }
                )) (lib.pushDown loc def)
              ) defs
            )
          );
        in
        if lazy then
          builtins.mapAttrs (
            _: merged: if merged.isDefined then merged.value else elemType.emptyValue.value or merged.value
          ) byName
        else
          builtins.mapAttrs (_: merged: merged.value) (
            lib.filterAttrs (_: merged: merged.isDefined) byName
          );
    };

  separated =
    separator:
    mkOptionType {
      name = "separatedString";
      description =
        if separator == "\n" then
          "strings concatenated with \"\\n\""
        else
          "strings concatenated with ${builtins.toJSON separator}";
      check = isString;
      merge = _: defs: builtins.concatStringsSep separator (values defs);
    };

  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? "submodule",
      ...
    }:
    let
      evaluate =
        loc: name: extra:
        lib.evalModules {
          inherit specialArgs;
          prefix = loc;
          modules =
            modules
            ++ [ { config._module.args.name = name; } ]
            ++ extra;
        };
    in
    mkOptionType {
      name = "submodule";
      inherit description;
      check = value: isAttrs value || isFunction value || builtins.isPath value;
      emptyValue.value = { };
      getSubOptions = loc: removeAttrs (evaluate loc "‹name›" [ ]).options [ "_module" ];
      merge =
        loc: defs:
        (evaluate loc (lib.last loc) (
          map (
            { file, value }:
            if isAttrs value && shorthandOnlyDefinesConfig then
              {
                _file = file;
                config = value;
              }
            else
              {
                _file = file;
                imports = [ value ];
              }
          ) defs
        )).config;
    };

  types = {
    inherit
      mkOptionType
      int
      str
      submoduleWith
      ;

    raw = mkOptionType {
      name = "raw";
      description = "raw value";
    };
    unspecified = mkOptionType {
      name = "unspecified";
      description = "unspecified value";
    };
    anything = mkOptionType {
      name = "anything";
      description = "anything";
      merge =
        loc: defs:
        let
          kind = value: if isAttrs value && lib.isStringLike value then "package" else typeOf value;
          kinds = lib.unique (map kind (values defs));
        in
        if length kinds > 1 then
          throw "The option `${lib.showOption loc}' has conflicting option types in ${lib.showFiles (map (def: def.file) defs)}"
        else if kinds == [ "set" ] then
          (types.attrsOf types.anything).merge loc defs
        else if kinds == [ "package" ] then
          mergeOne loc defs
        else
          mergeEqual loc defs;
    };

    bool = scalar "bool" "boolean" builtins.isBool;
    float = scalar "float" "floating point number" builtins.isFloat;
    number = scalar "number" "signed integer or floating point number" (v: isInt v || builtins.isFloat v);
    ints = {
      between =
        lowest: highest:
        intWhere "intBetween"
          "integer between ${toString lowest} and ${toString highest} (both inclusive)"
          (n: n >= lowest && n <= highest);
      positive = intWhere "positiveInt" "positive integer, meaning >0" (n: n > 0);
      unsigned = intWhere "unsignedInt" "unsigned integer, meaning >=0" (n: n >= 0);
      u16 = intWhere "unsignedInt16" "16 bit unsigned integer; between 0 and 65535 (both inclusive)" (
        n: n >= 0 && n <= 65535
      );
    };
    port = types.ints.u16;

    nonEmptyStr = scalar "nonEmptyStr" "non-empty string" (v: isString v && match "[ \t\n]*" v == null);
    singleLineStr = scalar "singleLineStr" "(optionally newline-terminated) single-line string" (
      v: isString v && match "[^\n\r]*\n?" v != null
    );
    strMatching =
      pattern:
      scalar "strMatching ${pattern}" "string matching the pattern ${pattern}" (
        v: isString v && match pattern v != null
      );
    lines = separated "\n";
    commas = separated ",";
    envVar = separated ":";
    separatedString = separated;
    path = scalar "path" "absolute path" (
      v: lib.isStringLike v && builtins.substring 0 1 (toString v) == "/"
    );
    package = mkOptionType {
      name = "package";
      description = "package";
      check = v: lib.isDerivation v || lib.isStorePath v;
      merge = mergeOne;
    };
    shellPackage = types.package;
    attrs = mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      emptyValue.value = { };
      merge = _: defs: lib.mergeAttrsList (values defs);
    };

    enum =
      allowed:
      let
        show = value: if isString value then builtins.toJSON value else lib.showValue value;
      in
      scalar "enum" (
        if length allowed == 1 then
          "value ${show (head allowed)} (singular enum)"
        else
          "one of ${lib.concatMapStringsSep ", " show allowed}"
      ) (v: elem v allowed);

    nullOr =
      elemType:
      mkOptionType {
        name = "nullOr";
        isComposed = true;
        description = "null or ${composite elemType}";
        check = v: v == null || elemType.check v;
        emptyValue.value = null;
        nestedTypes.elemType = elemType;
        inherit (elemType) getSubOptions;
        merge =
          loc: defs:
          let
            nulls = length (filter (v: v == null) (values defs));
          in
          if nulls == length defs then
            null
          else if nulls != 0 then
            throw "The option `${lib.showOption loc}' is defined both null and not null, in ${lib.showFiles (map (def: def.file) defs)}."
          else
            elemType.merge loc defs;
      };

    listOf =
      elemType:
      mkOptionType {
        name = "listOf";
        description = "list of ${composite elemType}";
        check = builtins.isList;
        emptyValue.value = [ ];
        nestedTypes.elemType = elemType;
        getSubOptions = loc: elemType.getSubOptions (loc ++ [ "*" ]);
        merge =
          loc: defs:
          map (merged: merged.value) (
            filter (merged: merged.isDefined) (
              concatLists (
                lib.imap1 (
                  n: def:
                  lib.imap1 (
                    m: value:
                    element (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType [
                      {
                        inherit (def) file;
                        inherit value;
                      }
                    ]
                  ) def.value
                ) defs
              )
            )
          );
      };
    nonEmptyListOf =
      elemType:
      types.addCheck (types.listOf elemType) (list: list != [ ])
      // {
        description = "non-empty list of ${composite elemType}";
        emptyValue = { };
      };

    attrsOf = attrsOfWith false;
    lazyAttrsOf = attrsOfWith true;

    either =
      a: b:
      mkOptionType {
        name = "either";
        isComposed = true;
        description = "${composite a} or ${composite b}";
        check = v: a.check v || b.check v;
        merge =
          loc: defs:
          if all a.check (values defs) then
            a.merge loc defs
          else if all b.check (values defs) then
            b.merge loc defs
          else
            mergeOne loc defs;
      };
    oneOf = list: builtins.foldl' types.either (head list) (builtins.tail list);

    coercedTo =
      from: coerce: to:
      mkOptionType {
        name = "coercedTo";
        isComposed = true;
        description = "${composite to} or ${composite from} convertible to it";
        check = v: (from.check v && to.check (coerce v)) || to.check v;
        inherit (to) emptyValue getSubOptions;
        nestedTypes.finalType = to;
        merge =
          loc: defs:
          to.merge loc (
            map (def: def // { value = if from.check def.value then coerce def.value else def.value; }) defs
          );
      };

    functionTo =
      elemType:
      mkOptionType {
        name = "functionTo";
        description = "function that evaluates to a(n) ${composite elemType}";
        check = isFunction;
        merge =
          loc: defs: argument:
          (element (loc ++ [ "<function body>" ]) elemType (
            map (def: def // { value = def.value argument; }) defs
          )).value;
      };

    uniq = elemType: elemType // { merge = mergeOne; };

    submodule =
      module:
      submoduleWith {
        modules = lib.toList module;
        shorthandOnlyDefinesConfig = true;
      };
    deferredModule = mkOptionType {
      name = "deferredModule";
      description = "module";
      check = v: isAttrs v || isFunction v || builtins.isPath v;
      merge = _: defs: { imports = values defs; };
    };

    addCheck = type: more: type // { check = v: type.check v && more v; };
  };
in
{
  inherit types mkOptionType;
  mergeOneOption = mergeOne;
  mergeEqualOption = mergeEqual;
}
