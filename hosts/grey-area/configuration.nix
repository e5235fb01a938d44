# The application server: a forge with its database, and media from the NAS.
{
  imports = [ ../common.nix ];

  networking.hostName = "grey-area";
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.initrd.availableKernelModules = [
    "nvme"
    "xhci_pci"
  ];

  fileSystems = {
    "/" = {
      device = "/dev/disk/by-label/nixos";
      fsType = "ext4";
    };
    "/boot" = {
      device = "/dev/disk/by-label/boot";
      fsType = "vfat";
    };
    "/mnt/media" = {
      device = "10.77.0.11:/tank/media";
      fsType = "nfs";
      options = [
        "noauto"
        "x-systemd.automount"
      ];
    };
  };

  services.postgresql.enable = true;
  services.forgejo = {
    enable = true;
    database = {
      type = "postgres";
      createDatabase = true;
    };
    settings.server = {
      DOMAIN = "git.example.org";
      ROOT_URL = "https://git.example.org/";
      HTTP_PORT = 3000;
    };
  };
  services.jellyfin.enable = true;
  networking.firewall.allowedTCPPorts = [
    3000
    8096
  ];

  lab.machine = {
    role = "application-server";
    groups = [
      "infrastructure"
      "backend"
    ];
    rebootOrder = 2;
    dependencies = [ "sleeper-service" ];
    addresses = [ "10.77.0.12" ];
    healthChecks = [
      {
        type = "http";
        name = "forge";
        url = "http://localhost:3000/api/healthz";
        expectedBody = "pass";
        retries = 10;
      }
      {
        type = "tcp";
        port = 5432;
      }
      "systemd:jellyfin.service"
    ];
    orchestration = {
      deployStrategy = "blue-green";
      rebootDelay = 60;
      criticalityLevel = "medium";
    };
  };
}
