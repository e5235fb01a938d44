# The NAS. Everything else waits for it, so it goes first, and alone.
{
  imports = [ ../common.nix ];

  networking.hostName = "sleeper-service";
  boot.loader.systemd-boot.enable = true;
  boot.loader.systemd-boot.configurationLimit = 20;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.initrd.availableKernelModules = [
    "ahci"
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
    "/tank" = {
      device = "/dev/disk/by-label/tank";
      fsType = "btrfs";
      options = [
        "compress=zstd"
        "noatime"
        "nofail"
      ];
    };
  };

  services.btrfs.autoScrub = {
    enable = true;
    fileSystems = [ "/tank" ];
    interval = "monthly";
  };
  services.smartd.enable = true;
  services.nfs.server = {
    enable = true;
    exports = ''
      /tank/media 10.77.0.0/24(rw,no_subtree_check)
      /tank/backup 10.77.0.0/24(rw,no_subtree_check)
    '';
  };
  services.samba = {
    enable = true;
    openFirewall = true;
    settings.media = {
      path = "/tank/media";
      "read only" = "no";
    };
  };
  networking.firewall.allowedTCPPorts = [ 2049 ];

  lab.machine = {
    role = "nas";
    groups = [
      "infrastructure"
      "storage"
    ];
    rebootOrder = 1;
    addresses = [ "10.77.0.11" ];
    healthChecks = [
      {
        type = "tcp";
        name = "nfs";
        port = 2049;
      }
      {
        type = "systemd";
        name = "samba";
        unit = "samba-smbd.service";
      }
      {
        type = "command";
        name = "room on the system disk";
        command = "test $(df --output=pcent / | tail -n 1 | tr -dc 0-9) -lt 95";
      }
    ];
    orchestration = {
      deployStrategy = "rolling";
      rebootDelay = 0;
      criticalityLevel = "high";
    };
    # Spinning disks and a slow firmware.
    reboot.deadlines.up = 900;
  };
}
