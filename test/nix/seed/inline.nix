# The user's first example, as it stands.
{ config, lib, pkgs, ... }:
{
  # NixOS handles all the configuration
  services.nginx.enable = true;
  services.postgresql.enable = true;
  
  # Lab-specific metadata as NixOS options
  lab.machine = {
    role = "application-server";
    groups = [ "infrastructure" "database" ];
    rebootOrder = 1;
    dependencies = [ ];
    healthChecks = [
      { type = "http"; url = "http://localhost:80/health"; }
      { type = "tcp"; port = 5432; }
    ];
    orchestration = {
      deployStrategy = "rolling";
      rebootDelay = 0;
      criticalityLevel = "high";
    };
  };
}
