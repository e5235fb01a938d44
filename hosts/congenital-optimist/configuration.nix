# The workstation `lab` runs on: always the last to reboot, and the one whose timer runs the whole flow.
{
  imports = [
    ../common.nix
    ../../nix/modules/lab-orchestrator.nix
  ];

  networking.hostName = "congenital-optimist";
  networking.networkmanager.enable = true;
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
  };

  services.desktopManager.gnome.enable = true;
  services.displayManager.gdm.enable = true;
  services.printing.enable = true;

  # On Sunday at four in the morning: update, build, deploy, reboot what needs it.
  services.lab-orchestrator = {
    enable = true;
    flake = "/home/lab/lab";
    user = "lab";
    schedule = "Sun 04:00";
  };

  lab.machine = {
    role = "workstation";
    groups = [ "desktop" ];
    orchestrator = true;
    addresses = [ "10.77.0.14" ];
    orchestration = {
      criticalityLevel = "low";
      rebootDelay = 0;
    };
  };
}
