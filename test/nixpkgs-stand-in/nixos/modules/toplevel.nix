# The system as one store path: what boots, what is linked below /etc, and the scripts that make it live.
{ config, lib, pkgs, ... }:
let
  knobs = config.lab-stand-in;
  text = name: content: pkgs.writeText name content;

  kernel = pkgs.build "linux-${knobs.kernelVersion}" {
    script = ''
      mkdir -p "$out/lib/modules/${knobs.kernelVersion}"
      echo "a stand-in for Linux ${knobs.kernelVersion}" >"$out/bzImage"
    '';
  };
  initrd = pkgs.build "initrd-linux-${knobs.kernelVersion}" {
    script = ''
      mkdir "$out"
      echo "initrd ${knobs.initrdVersion} for Linux ${knobs.kernelVersion}" >"$out/initrd"
    '';
  };
  systemd = pkgs.build "systemd-${knobs.systemdVersion}" {
    script = ''
      mkdir "$out"
      echo "a stand-in for systemd ${knobs.systemdVersion}; the machine's own runs" >"$out/stand-in"
    '';
  };
  payload = pkgs.build "payload-${toString knobs.payloadMiB}-MiB" {
    attrs = { inherit (knobs) generation; };
    script = ''head -c ${toString (knobs.payloadMiB * 1024 * 1024)} /dev/urandom >"$out"'';
  };

  etc = lib.mapAttrs' (_: file: lib.nameValuePair file.target file.source) (
    lib.filterAttrs (_: file: file.enable) config.environment.etc
  );
  programs = config.environment.systemPackages;

  # Unit files travel as one builder input each, so that no text is ever part of a script.
  units = builtins.attrNames config.systemd.units;
  unitFiles = builtins.listToAttrs (
    lib.imap0 (n: name: lib.nameValuePair "unit${toString n}" config.systemd.units.${name}) units
  );

  build = pkgs.build "nixos-system-${config.system.name}-${config.system.nixos.label}" {
    files = unitFiles // {
      activate = builtins.readFile ../activate.sh;
      switch = builtins.readFile ../switch-to-configuration.sh;
      etcFiles = lib.concatLines (lib.mapAttrsToList (target: source: "${source} ${target}") etc);
      inhibitors = builtins.toJSON knobs.switchInhibitors;
    };
    attrs = {
      kernelParams = toString config.boot.kernelParams;
      version = config.system.nixos.version;
      platform = config.nixpkgs.hostPlatform.system;
      inherit (knobs) generation;
      programs = map toString programs;
    };
    script = ''
      mkdir -p "$out/bin" "$out/etc/systemd/system" "$out/sw/bin" "$out/lab-stand-in"
      ln -s ${kernel}/bzImage "$out/kernel"
      ln -s ${kernel} "$out/kernel-modules"
      ln -s ${initrd}/initrd "$out/initrd"
      ln -s ${systemd} "$out/systemd"
      printf '%s' "$kernelParams" >"$out/kernel-params"
      printf '%s' "$version" >"$out/nixos-version"
      printf '%s' "$platform" >"$out/system"
      printf '%s' "$generation" >"$out/lab-stand-in/generation"
      ${lib.optionalString (knobs.payloadMiB > 0) ''ln -s ${payload} "$out/lab-stand-in/payload"''}
      echo ${toString knobs.switchExitCode} >"$out/lab-stand-in/switch-exit-code"
      echo ${toString knobs.switchSeconds} >"$out/lab-stand-in/switch-seconds"
      ${lib.optionalString (knobs.switchInhibitors != { }) ''cp "$inhibitorsPath" "$out/switch-inhibitors"''}

      cp "$activatePath" "$out/activate"
      cp "$switchPath" "$out/bin/switch-to-configuration"
      printf '#!/bin/sh\n"%s/activate"\nln -sfn "%s" /run/booted-system\nexec /lib/systemd/systemd "$@"\n' "$out" "$out" >"$out/init"
      chmod +x "$out/activate" "$out/bin/switch-to-configuration" "$out/init"

      while read -r source target; do
        mkdir -p "$(dirname "$out/etc/$target")"
        ln -s "$source" "$out/etc/$target"
      done <"$etcFilesPath"

      for package in $programs; do
        for program in "$package"/bin/*; do
          [ -L "$program" ] || [ -e "$program" ] || continue
          ln -sf "$program" "$out/sw/bin/"
        done
      done

      cd "$out/etc/systemd/system"
      ${lib.concatStrings (lib.imap0 (n: name: ''cp "''$unit${toString n}Path" ${lib.escapeShellArg name}
      '') units)}
      for unit in *.*; do
        [ -f "$unit" ] || continue
        for kind in Wanted Required; do
          case $kind in Wanted) suffix=wants ;; Required) suffix=requires ;; esac
          sed -n "s/^''${kind}By=//p" "$unit" | tr ' ' '\n' | while read -r by; do
            [ -n "$by" ] || continue
            mkdir -p "$by.$suffix"
            ln -s "../$unit" "$by.$suffix/$unit"
          done
        done
      done
    '';
  };

  failed = map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions);
in
{
  options.system.extraDependencies = lib.mkOption {
    type = lib.types.listOf lib.types.package;
    default = [ ];
    description = "Taken and not heeded.";
  };
  config.system.build = {
    inherit kernel etc;
    toplevel =
      if failed != [ ] then
        throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
      else
        lib.foldr lib.warn build config.warnings;
  };
}
