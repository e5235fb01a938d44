# What every machine of the example lab has: a way in for `lab`, and room to roll back.
# A file in hosts/ is no machine; only folders with a configuration.nix are.
{ lib, ... }:
{
  imports = [ ../nix/modules/lab-machine.nix ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  system.stateVersion = "26.05";
  time.timeZone = "Europe/Oslo";

  # The user that `lab` logs in as: keys only, sudo without a password, trusted to receive store paths.
  users.users.lab = {
    isNormalUser = true;
    description = "lab";
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [
      # Nobody has the private half of this key. Put your orchestrator's public key here.
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5cgjOuq76Uy+MNqs45q1qF4bIXqLVzKGq7uUS27IDi lab@congenital-optimist"
    ];
  };
  security.sudo.wheelNeedsPassword = false;
  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "no";
    };
  };
  lab.machine.ssh.user = "lab";

  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    trusted-users = [ "@wheel" ];
  };
  nix.gc = {
    automatic = true;
    dates = "weekly";
    options = "--delete-older-than 30d";
  };
}
