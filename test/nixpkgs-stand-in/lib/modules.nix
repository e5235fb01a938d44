# The module system: collect modules, sort their definitions by option, merge each option by its type.
# What differs from nixpkgs: an option may be declared once only, and `disabledModules` is not known.
{ lib }:
let
  inherit (builtins)
    addErrorContext
    all
    attrNames
    concatLists
    concatMap
    filter
    foldl'
    head
    isAttrs
    isFunction
    isPath
    isString
    length
    mapAttrs
    removeAttrs
    seq
    zipAttrsWith
    ;

  unknownFile = "<unknown-file>";

  # ── modules ──────────────────────────────────────────────────────────────────────────────────────────────

  # A function module gets what its pattern names: from the arguments at hand, else from `_module.args`.
  call =
    file: args: module:
    module (
      args
      // mapAttrs (
        name: _:
        addErrorContext "while evaluating the module argument `${name}' in \"${file}\":" (
          args.${name} or args.config._module.args.${name}
        )
      ) (if isAttrs module then { } else builtins.functionArgs module)
    );

  # What a module may be (path, function, attribute set) as `{ file; key; imports; options; config; }`.
  load =
    args: parentFile: key: module:
    let
      isFile = isPath module || isString module;
      file = if isFile then toString module else parentFile;
      body = if isFile then import module else module;
      set = if isFunction body || body ? __functor then call file args body else body;
      shaped =
        if !isAttrs set then
          throw "module ${file} (${key}) does not look like a module."
        else if set._type or null == "if" || set._type or null == "merge" || set._type or null == "override" then
          {
            config = set;
            options = { };
            imports = [ ];
          }
        else if set ? config || set ? options then
          let
            unknown = attrNames (
              removeAttrs set [
                "_class"
                "_file"
                "key"
                "imports"
                "options"
                "config"
                "meta"
                "freeformType"
              ]
            );
          in
          if unknown != [ ] then
            throw "Module `${key}' has an unsupported attribute `${head unknown}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString unknown}) into the explicit `config' attribute."
          else
            {
              options = set.options or { };
              imports = set.imports or [ ];
              config = set.config or { };
            }
        else
          {
            options = { };
            imports = set.imports or [ ];
            config = removeAttrs set [
              "_class"
              "_file"
              "key"
              "imports"
              "freeformType"
            ];
          };
    in
    {
      key = toString (set.key or (if isFile then file else key));
      file = toString (set._file or file);
      inherit (shaped) options imports;
      config =
        if set ? freeformType then
          lib.mkMerge [
            shaped.config
            { _module.freeformType = set.freeformType; }
          ]
        else
          shaped.config;
    };

  # All modules that the given ones import, each once. The order is nixpkgs': what is imported comes before
  # what imports it, later entries before earlier ones.
  collect =
    args: modules:
    let
      entries =
        parentFile: parentKey:
        lib.imap1 (
          n: module:
          let
            loaded = load args parentFile "${parentKey}:anon-${toString n}" module;
          in
          {
            inherit (loaded) key;
            inherit loaded;
          }
        );
    in
    lib.reverseList (
      map (entry: entry.loaded) (
        builtins.genericClosure {
          startSet = entries unknownFile "" modules;
          operator = entry: entries entry.loaded.file entry.key entry.loaded.imports;
        }
      )
    );

  # ── definitions ──────────────────────────────────────────────────────────────────────────────────────────

  # Moves mkIf, mkMerge and mkForce from around a set to around its values, so that the names are known
  # without asking any condition: a list of plain sets.
  pushDown =
    loc: def:
    let
      push =
        value:
        let
          mark = value._type or null;
          into = wrap: map (mapAttrs (_: inner: wrap inner)) (push value.content);
        in
        if mark == "merge" then
          concatMap push value.contents
        else if mark == "if" then
          into (lib.mkIf value.condition)
        else if mark == "override" then
          into (lib.mkOverride value.priority)
        else if mark == "order" then
          into (lib.mkOrder value.priority)
        else if isAttrs value then
          [ value ]
        else
          throw "You're trying to define a value of type `${builtins.typeOf value}' rather than an attribute set for the option\n`${lib.showOption loc}'! It is defined in `${def.file}'.";
    in
    push def.value;

  # A definition's own values once mkMerge and mkIf are settled.
  discharge =
    value:
    if value._type or null == "merge" then
      concatMap discharge value.contents
    else if value._type or null == "if" then
      if !builtins.isBool value.condition then
        throw "‘mkIf’ called with a non-Boolean condition"
      else if value.condition then
        discharge value.content
      else
        [ ]
    else
      [ value ];

  priorityOf = def: if def.value._type or null == "override" then def.value.priority else 100;
  orderOf = def: if def.value._type or null == "order" then def.value.priority else 1000;
  unwrap =
    mark: def: if def.value._type or null == mark then def // { value = def.value.content; } else def;

  mergeDefinitions =
    loc: type: defs:
    let
      settled = concatMap (
        def:
        map (value: {
          inherit (def) file;
          inherit value;
        }) (addErrorContext "while evaluating definitions from `${def.file}':" (discharge def.value))
      ) defs;
      highestPrio = foldl' (lowest: def: lib.min lowest (priorityOf def)) 9999 settled;
      winners = map (unwrap "override") (filter (def: priorityOf def == highestPrio) settled);
      ordered =
        if builtins.any (def: def.value._type or null == "order") winners then
          map (unwrap "order") (builtins.sort (a: b: orderOf a < orderOf b) winners)
        else
          winners;
      wrong = filter (def: !type.check def.value) ordered;
    in
    {
      inherit highestPrio;
      definitions = ordered;
      isDefined = ordered != [ ];
      value =
        if ordered == [ ] then
          throw "The option `${lib.showOption loc}' was accessed but has no value defined. Try setting the option."
        else if wrong != [ ] then
          throw "A definition for option `${lib.showOption loc}' is not of type `${type.description}'. Definition values:${lib.showDefs wrong}"
        else
          type.merge loc ordered;
    };

  # ── options ──────────────────────────────────────────────────────────────────────────────────────────────

  evalOption =
    loc: decls: defs:
    let
      declaration = (head decls).options;
      type = declaration.type or lib.types.unspecified;
      all' =
        lib.optional (declaration ? default) {
          inherit (head decls) file;
          value = lib.mkOptionDefault declaration.default;
        }
        ++ defs;
      merged =
        if declaration.readOnly or false && length all' > 1 then
          throw "The option `${lib.showOption loc}' is read-only, but it's set multiple times. Definition values:${
            lib.showDefs (map (unwrap "override") all')
          }"
        else
          mergeDefinitions loc type all';
    in
    if length decls > 1 then
      throw "The option `${lib.showOption loc}' in `${(lib.last decls).file}' is already declared in ${
        lib.showFiles (map (d: d.file) (lib.init decls))
      }."
    else
      declaration
      // {
        inherit loc type;
        inherit (merged) highestPrio isDefined;
        value = addErrorContext "while evaluating the option `${lib.showOption loc}':" (
          (declaration.apply or lib.id) merged.value
        );
        definitions = map (def: def.value) merged.definitions;
        definitionsWithLocations = merged.definitions;
        files = map (def: def.file) merged.definitions;
        declarations = map (d: d.file) decls;
        __toString = _: lib.showOption loc;
      };

  # One level of the option tree: `options` evaluated, `unmatched` the definitions that no option took.
  mergeLevel =
    loc: decls: defs:
    let
      declsByName = zipAttrsWith (_: concatLists) (
        map (
          { file, options }:
          if isAttrs options then
            mapAttrs (_: inner: [
              {
                inherit file;
                options = inner;
              }
            ]) options
          else
            throw "The option set for `${lib.showOption loc}' in `${file}' is not an attribute set."
        ) decls
      );
      defsByName = zipAttrsWith (_: concatLists) (
        concatMap (
          def:
          map (mapAttrs (
            _: value: [
              {
                inherit (def) file;
                inherit value;
              }
            ]
          )) (pushDown loc def)
        ) defs
      );
      byName = mapAttrs (
        name: found:
        let
          here = loc ++ [ name ];
          mine = defsByName.${name} or [ ];
          optionDecls = filter (d: lib.isOption d.options) found;
        in
        if optionDecls == [ ] then
          mergeLevel here found mine
        else if length optionDecls == length found then
          {
            options = evalOption here found mine;
            unmatched = [ ];
          }
        else
          throw "The option `${lib.showOption here}' in module `${(head optionDecls).file}' would be a parent of other options, which it cannot be."
      ) declsByName;
    in
    {
      options = mapAttrs (_: level: level.options) byName;
      unmatched =
        concatMap (level: level.unmatched) (builtins.attrValues byName)
        ++ concatLists (
          lib.mapAttrsToList (
            name:
            map (def: {
              loc = loc ++ [ name ];
              inherit (def) file value;
            })
          ) (removeAttrs defsByName (attrNames declsByName))
        );
    };

  # ── evaluation ───────────────────────────────────────────────────────────────────────────────────────────

  ownOptions = {
    _file = "lib/modules.nix";
    key = "lib/modules.nix";
    options._module = {
      args = lib.mkOption {
        type = lib.types.lazyAttrsOf lib.types.raw;
        internal = true;
        description = "Arguments that function modules may name.";
      };
      check = lib.mkOption {
        type = lib.types.bool;
        default = true;
        internal = true;
        description = "Whether a definition without an option is an error.";
      };
      freeformType = lib.mkOption {
        type = lib.types.nullOr lib.types.raw;
        default = null;
        internal = true;
        description = "The type that takes definitions without an option of their own.";
      };
    };
    config._module.args = { };
  };

  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
      ...
    }@given:
    let
      args = {
        inherit lib;
        inherit (result) options;
        config = values;
      }
      // specialArgs;
      collected = collect args (modules ++ [ ownOptions ]);
      level = mergeLevel prefix (map (m: { inherit (m) file options; }) collected) (
        map (m: {
          inherit (m) file;
          value = m.config;
        }) collected
      );
      declared = lib.mapAttrsRecursiveCond (value: !lib.isOption value) (
        _: option: option.value
      ) level.options;
      freeformType = declared._module.freeformType;
      relativeTo = loc: lib.drop (length prefix) loc;
      values =
        if freeformType == null then
          declared
        else if level.unmatched == [ ] then
          freeformType.merge prefix [
            {
              file = unknownFile;
              value = { };
            }
          ]
          // declared
        else
          lib.recursiveUpdate (freeformType.merge prefix (
            map (def: {
              inherit (def) file;
              value = lib.setAttrByPath (relativeTo def.loc) def.value;
            }) level.unmatched
          )) declared;
      check =
        if declared._module.check && freeformType == null && level.unmatched != [ ] then
          let
            first = head level.unmatched;
            same = filter (def: def.loc == first.loc) level.unmatched;
            near = filter (name: lib.isNear name (lib.last first.loc)) (
              attrNames (lib.attrByPath (relativeTo (lib.init first.loc)) { } level.options)
            );
          in
          throw "The option `${lib.showOption first.loc}' does not exist. Definition values:${lib.showDefs same}${
            lib.optionalString (near != [ ])
              "\n\nDid you mean `${lib.showOption (lib.init first.loc ++ [ (head near) ])}'?"
          }"
        else
          null;
      result = {
        _type = "configuration";
        options = seq check level.options;
        config = seq check (removeAttrs values [ "_module" ]);
        _module = seq check values._module;
        inherit class;
        extendModules =
          {
            modules ? [ ],
            specialArgs ? { },
            prefix ? given.prefix or [ ],
          }:
          evalModules (
            given
            // {
              inherit prefix;
              modules = given.modules ++ modules;
              specialArgs = given.specialArgs or { } // specialArgs;
            }
          );
      };
    in
    result;
in
{
  inherit evalModules mergeDefinitions pushDown;

  # Whether one name can be the other with a slip of the hand: all but two letters agree, from both ends.
  isNear =
    a: b:
    let
      longer = lib.max (builtins.stringLength a) (builtins.stringLength b);
      agree =
        letter: n:
        if n < longer && letter a n != "" && letter a n == letter b n then agree letter (n + 1) else n;
      fromStart = agree (text: n: builtins.substring n 1 text) 0;
      fromEnd = agree (
        text: n:
        let
          at = builtins.stringLength text - 1 - n;
        in
        if at < 0 then "" else builtins.substring at 1 text
      ) 0;
    in
    a != b && longer > 3 && fromStart + fromEnd >= longer - 2;
}
