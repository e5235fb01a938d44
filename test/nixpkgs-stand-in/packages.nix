# A `pkgs` of a few builders and of "packages" that are links to the programs of the machine itself.
# Builders need no other store path: /bin/sh, and the coreutils in /usr/bin, so the Nix sandbox must be off.
{ lib, system }:
let
  hostPath = "/usr/bin:/bin:/usr/sbin:/sbin";

  # Runs a shell script that leaves its result at $out. `files` are given to it by path: `$NAME` + `Path`.
  build =
    name:
    {
      script,
      files ? { },
      attrs ? { },
    }:
    derivation (
      {
        inherit name system;
        builder = "/bin/sh";
        args = [
          "-euc"
          script
        ];
        PATH = hostPath;
        LC_ALL = "C";
        preferLocalBuild = true;
        allowSubstitutes = false;
        passAsFile = builtins.attrNames files;
      }
      // files
      // attrs
    )
    // {
      meta = { };
    };

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
    }:
    build name {
      files = { inherit text; };
      script = ''
        mkdir -p "$(dirname "$out${destination}")"
        cp "$textPath" "$out${destination}"
        ${lib.optionalString executable ''chmod +x "$out${destination}"''}
      '';
    };

  script =
    name: head: text:
    writeTextFile {
      inherit name;
      executable = true;
      text = "${head}\n${text}\n";
    };

  # A package whose programs are the machine's own, found in its PATH when the package is built.
  hostPrograms =
    pname: programs:
    build pname {
      script = ''
        mkdir -p "$out/bin"
        for program in ${lib.escapeShellArgs programs}; do
          path=$(command -v "$program") || path=
          # What is built into the shell is told by its name alone.
          case $path in /*) ;; *) path=/usr/bin/$program ;; esac
          ln -s "$path" "$out/bin/$program"
        done
      '';
    }
    // {
      inherit pname;
      version = "host";
      meta.mainProgram = lib.head programs;
    };

  # A package that is only a name.
  placeholder =
    pname:
    build pname {
      script = ''mkdir -p "$out"; echo ${pname} >"$out/stand-in"'';
    }
    // {
      inherit pname;
      version = "stand-in";
    };

  packages = {
    inherit lib system writeTextFile;
    stdenv.hostPlatform = {
      inherit system;
      isLinux = true;
      isx86_64 = system == "x86_64-linux";
      isAarch64 = system == "aarch64-linux";
    };
    runtimeShell = "/bin/sh";

    inherit build;
    runCommand =
      name: attrs: text:
      build name {
        inherit attrs;
        script = text;
      };
    writeText = name: text: writeTextFile { inherit name text; };
    writeShellScript = name: script name "#!/bin/sh";
    writeShellScriptBin =
      name: text:
      writeTextFile {
        inherit name;
        executable = true;
        destination = "/bin/${name}";
        text = "#!/bin/sh\n${text}\n";
      };
    linkFarm =
      name: links:
      build name {
        script = ''
          mkdir -p "$out"
          ${lib.concatLines (
            lib.mapAttrsToList (path: target: ''
              mkdir -p "$(dirname "$out"/${lib.escapeShellArg path})"
              ln -s ${lib.escapeShellArg "${target}"} "$out"/${lib.escapeShellArg path}
            '') links
          )}
        '';
      };
    callPackage =
      file: given:
      let
        function = if builtins.isFunction file then file else import file;
      in
      function (builtins.intersectAttrs (builtins.functionArgs function) packages // given);

    formats.json = _: {
      type = lib.types.nullOr lib.types.anything // {
        description = "JSON value";
      };
      generate = name: value: packages.writeText name (builtins.toJSON value);
    };

    # Builds nothing: a flake that packages something is evaluated all the same.
    buildNpmPackage =
      { pname, ... }:
      packages.writeShellScriptBin pname ''
        echo "${pname}: this is a stand-in; a real nixpkgs builds the package" >&2
        exit 1
      ''
      // {
        inherit pname;
        version = "stand-in";
        meta.mainProgram = pname;
      };
    stdenvNoCC.mkDerivation = { name, ... }: packages.writeText name "";
    importNpmLock = {
      __functor = _: _: null;
      npmConfigHook = null;
    };

    bash = hostPrograms "bash" [ "bash" "sh" ];
    coreutils = hostPrograms "coreutils" [
      "basename"
      "cat"
      "chmod"
      "cp"
      "cut"
      "date"
      "df"
      "dirname"
      "echo"
      "env"
      "head"
      "id"
      "ln"
      "ls"
      "mkdir"
      "mktemp"
      "mv"
      "printf"
      "readlink"
      "rm"
      "sleep"
      "sort"
      "stat"
      "tail"
      "test"
      "timeout"
      "touch"
      "tr"
      "true"
      "uname"
      "wc"
    ];
    curl = hostPrograms "curl" [ "curl" ];
    findutils = hostPrograms "findutils" [ "find" "xargs" ];
    git = hostPrograms "git" [ "git" ];
    gnugrep = hostPrograms "gnugrep" [ "grep" ];
    gnused = hostPrograms "gnused" [ "sed" ];
    nix = hostPrograms "nix" [
      "nix"
      "nix-build"
      "nix-collect-garbage"
      "nix-copy-closure"
      "nix-env"
      "nix-instantiate"
      "nix-store"
    ];
    openssh = hostPrograms "openssh" [
      "ssh"
      "ssh-add"
      "ssh-keygen"
      "ssh-keyscan"
    ];
    systemd = hostPrograms "systemd" [
      "busctl"
      "journalctl"
      "systemctl"
      "systemd-run"
    ];
  }
  // lib.genAttrs [
    "btrfs-progs"
    "cacert"
    "htop"
    "makeWrapper"
    "nixfmt-tree"
    "nodejs_24"
    "restic"
    "smartmontools"
    "vim"
    "wireguard-tools"
  ] placeholder;
in
packages
