# The user's second example, as it stands, save for the path of the module, which is one folder further away.
{ config, lib, pkgs, ... }:
{
  imports = [
    ../../../../../nix/modules/lab-machine.nix
    # ... other imports
  ];

  # Standard NixOS configuration
  services.nginx = {
    enable = true;
    # ... nginx config
  };
  
  services.postgresql = {
    enable = true;
    # ... postgresql config
  };

  # Lab orchestration metadata
  lab.machine = {
    role = "application-server";
    groups = [ "infrastructure" "backend" ];
    rebootOrder = 1;
    dependencies = [ ];
    healthChecks = [
      {
        type = "http";
        url = "http://localhost:80/health";
      }
      {
        type = "tcp";
        port = 5432;
      }
    ];
    orchestration = {
      deployStrategy = "rolling";
      rebootDelay = 0;
      criticalityLevel = "high";
    };
  };
}
