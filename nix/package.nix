# `lab` as a Nix package: the bundle, run by Node, with nix, ssh and git at hand.
{
  lib,
  buildNpmPackage,
  git,
  importNpmLock,
  makeWrapper,
  nix,
  nodejs_24,
  openssh,
}:
let
  root = ../.;
  manifest = lib.importJSON (root + "/package.json");
  lock = lib.importJSON (root + "/package-lock.json");

  # The lock file names no registry, only versions and hashes; Nix wants an address for each.
  nameOf = path: package: package.name or (lib.last (lib.splitString "node_modules/" path));
  addressOf =
    path: package:
    let
      name = nameOf path package;
    in
    "https://registry.npmjs.org/${name}/-/${baseNameOf name}-${package.version}.tgz";
  addressed = lock // {
    packages = builtins.mapAttrs (
      path: package:
      if package ? integrity && !(package ? resolved) then
        package // { resolved = addressOf path package; }
      else
        package
    ) lock.packages;
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
    packageLock = addressed;
  };
  inherit (importNpmLock) npmConfigHook;
  nativeBuildInputs = [ makeWrapper ];

  # The bundle holds its dependencies; beside it lie the Nix files it reads.
  installPhase = ''
    runHook preInstall
    mkdir -p $out/lib/lab
    cp -r dist nix package.json $out/lib/lab/
    makeWrapper ${lib.getExe nodejs_24} $out/bin/lab \
      --add-flags "--disable-warning=ExperimentalWarning $out/lib/lab/dist/main.js" \
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
