# The VPS at the edge, reached through WireGuard: what the world sees of the applications behind it.
{ modulesPath, ... }:
{
  imports = [
    (modulesPath + "/profiles/qemu-guest.nix")
    ../common.nix
  ];

  networking.hostName = "reverse-proxy";
  boot.loader.grub = {
    enable = true;
    device = "/dev/vda";
  };
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };

  services.nginx = {
    enable = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    virtualHosts = {
      "git.example.org" = {
        forceSSL = true;
        enableACME = true;
        locations."/".proxyPass = "http://10.77.0.12:3000";
      };
      "localhost".locations."/health".return = "200 ok";
    };
  };
  security.acme = {
    acceptTerms = true;
    defaults.email = "admin@example.org";
  };
  # Three wrong logins and an address is out for a day: `lab` must never probe carelessly.
  services.fail2ban = {
    enable = true;
    maxretry = 3;
    bantime = "24h";
  };
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];

  lab.machine = {
    role = "reverse-proxy";
    groups = [ "edge" ];
    rebootOrder = 3;
    dependencies = [ "grey-area" ];
    addresses = [ "10.77.0.13" ];
    healthChecks = [
      {
        type = "http";
        url = "http://localhost:80/health";
        expectedBody = "ok";
      }
      {
        # From outside: proves the firewall as well.
        type = "tcp";
        name = "https from outside";
        port = 443;
        from = "orchestrator";
      }
      "systemd:nginx.service"
    ];
    orchestration = {
      deployStrategy = "recreate";
      rebootDelay = 120;
      criticalityLevel = "critical";
    };
    reboot.stable = 60;
  };
}
