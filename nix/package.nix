# `lab` as a Nix package: the bundle, run by Node, with nix, ssh and git at hand.
{
  lib,
  buildNpmPackage,
  cacert,
  git,
  importNpmLock,
  makeWrapper,
  nix,
  nodejs_24,
  openssh,
  stdenvNoCC,
}:
let
  root = ../.;
  manifest = lib.importJSON (root + "/package.json");
  lock = lib.importJSON (root + "/package-lock.json");

  # The lock file names no registry, only versions and hashes: npm itself knows where packages come from, and the
  # hash of the lock file says that the right one came.
  nameOf = path: package: package.name or (lib.last (lib.splitString "node_modules/" path));
  sourceOf =
    path: package:
    let
      name = nameOf path package;
    in
    stdenvNoCC.mkDerivation {
      name = "${baseNameOf name}-${package.version}.tgz";
      nativeBuildInputs = [ nodejs_24 ];
      SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
      impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      dontUnpack = true;
      buildPhase = ''
        export HOME=$TMPDIR
        npm pack --silent --ignore-scripts --pack-destination . ${lib.escapeShellArg "${name}@${package.version}"}
        mv ./*.tgz $out
      '';
      dontInstall = true;
      dontFixup = true;
      outputHash = package.integrity;
      outputHashMode = "flat";
    };
in
buildNpmPackage {
  pname = manifest.name;
  inherit (manifest) version;

  # Only what the bundle is made of, so that tests and hosts do not rebuild it.
  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.unions [
      (root + "/package.json")
      (root + "/package-lock.json")
      (root + "/.npmrc")
      (root + "/tsconfig.json")
      (root + "/scripts")
      (root + "/src")
      (root + "/nix")
    ];
  };

  nodejs = nodejs_24;
  npmDeps = importNpmLock {
    npmRoot = root;
    packageSourceOverrides = builtins.mapAttrs sourceOf (
      lib.filterAttrs (path: package: path != "" && package ? integrity) lock.packages
    );
  };
  inherit (importNpmLock) npmConfigHook;
  nativeBuildInputs = [ makeWrapper ];

  # The bundle holds its dependencies; beside it lie the Nix files it reads.
  installPhase = ''
    runHook preInstall
    mkdir -p $out/lib/lab
    cp -r dist nix package.json $out/lib/lab/
    makeWrapper ${lib.getExe nodejs_24} $out/bin/lab \
      --add-flags "--max-semi-space-size=8 --disable-warning=ExperimentalWarning $out/lib/lab/dist/main.js" \
      --suffix PATH : ${
        lib.makeBinPath [
          git
          nix
          openssh
        ]
      }
    runHook postInstall
  '';

  meta = {
    inherit (manifest) description;
    license = lib.licenses.mit;
    mainProgram = "lab";
    platforms = lib.platforms.linux;
  };
}
