# Options that hosts set and that change nothing in the stand-in, beyond being checked for their type.
{ lib, ... }:
let
  inherit (lib) types;
  option =
    type: default: description:
    lib.mkOption { inherit type default description; };
  text = option types.str;
  flag = option types.bool;
  set = option (types.attrsOf types.anything) { };
  list = option (types.listOf types.anything) [ ];
  ports = option (types.listOf types.port) [ ];
in
{
  options = {
    boot = {
      loader = {
        systemd-boot = {
          enable = flag false "Whether systemd-boot starts the machine.";
          configurationLimit = option (types.nullOr types.int) null "How many generations the menu shows.";
        };
        efi.canTouchEfiVariables = flag false "Whether EFI variables may be written.";
        grub = {
          enable = flag false "Whether GRUB starts the machine.";
          device = text "" "The disk GRUB is written to.";
          devices = list "The disks GRUB is written to.";
          efiSupport = flag false "Whether GRUB starts from EFI.";
          efiInstallAsRemovable = flag false "Whether GRUB takes the fallback path.";
        };
        timeout = option (types.nullOr types.int) 5 "Seconds the menu waits.";
      };
      initrd = {
        availableKernelModules = list "Modules the initrd holds.";
        kernelModules = list "Modules the initrd loads.";
        luks.devices = set "Encrypted disks.";
      };
      kernelModules = list "Modules loaded at boot.";
      kernelParams = lib.mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Words of the kernel's command line; they end in `kernel-params`.";
      };
      kernel.sysctl = set "Kernel settings.";
      extraModulePackages = list "Modules from other packages.";
      supportedFilesystems = option types.unspecified [ ] "File systems to support.";
      tmp.cleanOnBoot = flag false "Whether /tmp is emptied at boot.";
      zfs = set "ZFS settings.";
    };
    console = set "The console.";
    documentation = set "Which documentation to install.";
    fileSystems = option (types.attrsOf (
      types.submodule {
        freeformType = types.attrsOf types.anything;
        options = {
          device = option (types.nullOr types.str) null "What is mounted.";
          fsType = text "auto" "Its kind.";
          options = option (types.listOf types.str) [ "defaults" ] "How it is mounted.";
          neededForBoot = flag false "Whether the initrd mounts it.";
        };
      }
    )) { } "File systems by their mount point.";
    hardware = set "Hardware.";
    i18n = set "Languages.";
    networking = {
      hostName = text "nixos" "The name of the machine.";
      hostId = option (types.nullOr types.str) null "Eight hexadecimal digits, for ZFS.";
      domain = option (types.nullOr types.str) null "Its domain.";
      useDHCP = flag true "Whether interfaces ask for an address.";
      useNetworkd = flag false "Whether systemd-networkd configures the network.";
      networkmanager.enable = flag false "Whether NetworkManager configures the network.";
      nameservers = list "Name servers.";
      defaultGateway = option types.unspecified null "The way out.";
      hosts = set "Lines for /etc/hosts.";
      extraHosts = option types.lines "" "Lines for /etc/hosts.";
      interfaces = set "Interfaces.";
      wireguard = set "WireGuard.";
      firewall = {
        enable = flag true "Whether there is a firewall.";
        allowedTCPPorts = ports "Open TCP ports.";
        allowedUDPPorts = ports "Open UDP ports.";
        interfaces = set "Rules by interface.";
        trustedInterfaces = list "Interfaces without rules.";
      };
      nat = set "Address translation.";
    };
    powerManagement = set "Power.";
    programs = set "Programs.";
    security = set "Security: sudo, ACME, PAM …";
    swapDevices = list "Swap.";
    systemd.tmpfiles.rules = option (types.listOf types.str) [ ] "Lines for systemd-tmpfiles.";
    time.timeZone = option (types.nullOr types.str) null "The time zone.";
    users = {
      users = option (types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            freeformType = types.attrsOf types.anything;
            options = {
              name = text name "The login name.";
              home = text "/home/${name}" "Its home.";
              isNormalUser = flag false "Whether this is a person.";
              isSystemUser = flag false "Whether this is a service.";
              extraGroups = option (types.listOf types.str) [ ] "Further groups.";
            };
          }
        )
      )) { } "Users.";
      groups = set "Groups.";
      mutableUsers = flag true "Whether passwd changes users.";
    };
    virtualisation = set "Containers and virtual machines.";
    zramSwap = set "Compressed swap.";
  };
}
