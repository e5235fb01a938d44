# The system that hosts come with when they are asked for with one: older than whatever a flake gives them, and empty.
let
  standIn = (import ../nixpkgs-stand-in/flake.nix).outputs { };
in
(standIn.lib.nixosSystem {
  modules = [
    {
      networking.hostName = "factory";
      nixpkgs.hostPlatform = builtins.currentSystem;
      system.stateVersion = "26.05";
      lab-stand-in = {
        generation = "factory";
        kernelVersion = "6.6.1";
      };
    }
  ];
}).config.system.build.toplevel
