# Some services of NixOS: the options the hosts set, and a unit that listens where the real one would.
{ config, lib, pkgs, ... }:
let
  inherit (lib) types;
  cfg = config.services;

  # `enable` beside options that are only checked for being values.
  service =
    names:
    {
      enable = lib.mkEnableOption "the service";
      openFirewall = lib.mkOption {
        type = types.bool;
        default = false;
        description = "Whether its ports are open.";
      };
    }
    // lib.genAttrs names (
      _:
      lib.mkOption {
        type = types.anything;
        default = { };
        description = "Taken and not heeded, unless listeners below say otherwise.";
      }
    );

  listens = condition: unit: listener: lib.mkIf condition { lab-stand-in.listeners.${unit} = listener; };
in
{
  options.services = {
    avahi = service [ "nssmdns4" "publish" ];
    btrfs.autoScrub = service [ "fileSystems" "interval" ];
    desktopManager.gnome = service [ ];
    desktopManager.plasma6 = service [ ];
    displayManager.gdm = service [ ];
    displayManager.sddm = service [ "wayland" ];
    fail2ban = service [ "bantime" "bantime-increment" "ignoreIP" "jails" "maxretry" ];
    forgejo = service [ "database" "lfs" "settings" "stateDir" ];
    fstrim = service [ "interval" ];
    jellyfin = service [ "dataDir" "group" "user" ];
    nfs.server = service [ "exports" "hostName" "lockdPort" "mountdPort" "statdPort" ];
    nfs.settings = lib.mkOption {
      type = types.anything;
      default = { };
      description = "Taken and not heeded.";
    };
    nginx =
      service [
        "appendHttpConfig"
        "clientMaxBodySize"
        "recommendedGzipSettings"
        "recommendedOptimisation"
        "recommendedProxySettings"
        "recommendedTlsSettings"
        "upstreams"
      ]
      // {
        virtualHosts = lib.mkOption {
          type = types.attrsOf types.anything;
          default = { };
          description = "Sites by name.";
        };
      };
    openssh = service [ "authorizedKeysFiles" "hostKeys" "listenAddresses" "ports" "settings" ];
    pipewire = service [ "alsa" "jack" "pulse" "wireplumber" ];
    postgresql =
      service [
        "authentication"
        "dataDir"
        "ensureDatabases"
        "ensureUsers"
        "initialScript"
        "package"
      ]
      // {
        enableTCPIP = lib.mkEnableOption "connections from other machines";
        settings = lib.mkOption {
          type = types.submodule {
            freeformType = types.attrsOf types.anything;
            options.port = lib.mkOption {
              type = types.port;
              default = 5432;
              description = "Its port.";
            };
          };
          default = { };
          description = "Settings.";
        };
      };
    postgresqlBackup = service [ "databases" "location" "startAt" ];
    printing = service [ "drivers" ];
    prometheus.exporters.node = service [ "enabledCollectors" "listenAddress" "port" ];
    qemuGuest = service [ ];
    resolved = service [ "settings" ];
    samba = service [ "nmbd" "settings" "winbindd" ];
    samba-wsdd = service [ "workgroup" ];
    smartd = service [ "autodetect" "notifications" ];
    tailscale = service [ "authKeyFile" "useRoutingFeatures" ];
    xserver = service [ "videoDrivers" "xkb" ];
    zfs.autoScrub = service [ "interval" "pools" ];
  };

  config = lib.mkMerge [
    (
      let
        sites = builtins.attrValues cfg.nginx.virtualHosts;
        secure = builtins.any (site: site.forceSSL or false || site.addSSL or false || site.onlySSL or false) sites;
      in
      listens cfg.nginx.enable "nginx" {
        http = [ 80 ];
        tcp = lib.optional secure 443;
      }
    )
    (listens cfg.postgresql.enable "postgresql" { tcp = [ cfg.postgresql.settings.port ]; })
    (listens cfg.samba.enable "samba-smbd" { tcp = [ 445 ]; })
    (listens cfg.nfs.server.enable "nfs-server" { tcp = [ 2049 ]; })
    (listens cfg.forgejo.enable "forgejo" {
      http = [ (cfg.forgejo.settings.server.HTTP_PORT or 3000) ];
      body = ''{"status":"pass"}'';
    })
    (listens cfg.jellyfin.enable "jellyfin" {
      http = [ 8096 ];
      body = "Healthy";
    })
    (listens cfg.prometheus.exporters.node.enable "prometheus-node-exporter" { http = [ 9100 ]; })
    {
      systemd.services = builtins.mapAttrs (name: listener: {
        description = "Stands in for ${name}";
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          ExecStart = lib.concatStringsSep " " (
            [ "/usr/bin/perl ${pkgs.writeText "listener.pl" (builtins.readFile ../listener.pl)}" ]
            ++ map (port: "http:${toString port}") listener.http
            ++ map (port: "tcp:${toString port}") listener.tcp
          );
          Type = "notify";
        };
        environment.BODY = listener.body;
      }) config.lab-stand-in.listeners;
    }
  ];
}
