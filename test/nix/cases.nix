# Configurations of lab.machine for the tests: `good` ones evaluate, `wrong` ones evaluate and name problems,
# `refused` ones are stopped by a type. Each is a module; each has the host name `box`.
{ lib }:
let
  check = attrs: { lab.machine.healthChecks = [ attrs ]; };
  many = count: f: map f (lib.range 1 count);
  long = count: builtins.concatStringsSep "" (map (_: "x") (lib.range 1 count));
in
{
  good = {
    bare = { };
    seed = {
      lab.machine = {
        role = "application-server";
        groups = [
          "infrastructure"
          "database"
        ];
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
    };
    all-options = {
      lab.machine = {
        role = "nas";
        groups = [ "a" ];
        rebootOrder = 10000;
        dependencies = [ "other.host" ];
        orchestrator = true;
        addresses = [
          "10.0.0.1"
          "fd00::1"
          "::1"
        ];
        ssh = {
          host = "box.home.arpa";
          port = 2222;
          user = "lab";
        };
        healthChecks = [
          {
            type = "http";
            name = "page";
            from = "orchestrator";
            url = "https://box.home.arpa:8443/a?b=c#d";
            expectedStatus = 204;
            expectedBody = "fine";
            timeout = 300;
            retries = 0;
            interval = 300;
          }
          {
            type = "tcp";
            host = "10.0.0.1";
            port = 65535;
          }
          {
            type = "command";
            command = ''
              set -e
              true
            '';
          }
          {
            type = "systemd";
            unit = "getty@tty1.service";
          }
        ];
        orchestration = {
          deployStrategy = "blue-green";
          rebootDelay = 86400;
          criticalityLevel = "critical";
        };
        reboot = {
          policy = "always";
          deadlines = {
            down = 1;
            up = 7200;
            healthy = 7200;
          };
          stable = 3600;
        };
      };
    };
    short-forms = {
      lab.machine.healthChecks = [
        "http://localhost/health"
        "https://[::1]:8443/"
        "tcp:5432"
        "tcp:db.home.arpa:5432"
        "systemd:nginx"
        "command:test -e /srv"
      ];
    };
    merged = {
      imports = [
        { lab.machine.groups = [ "one" ]; }
        {
          lab.machine.groups = lib.mkBefore [ "zero" ];
          lab.machine.role = lib.mkDefault "default";
          lab.machine.healthChecks = [ "tcp:1" ];
        }
        {
          lab.machine.role = "chosen";
          lab.machine.healthChecks = lib.mkIf true [ "tcp:2" ];
          lab.machine.dependencies = lib.mkIf false [ "never" ];
        }
        { lab.machine.orchestration.rebootDelay = lib.mkForce 7; }
        { lab.machine.orchestration.rebootDelay = 8; }
      ];
    };
    delay-by-default-of-others = {
      lab.machine.orchestration.rebootDelay = lib.mkDefault 600;
    };
    limits = {
      lab.machine = {
        groups = many 32 (n: "g${toString n}");
        dependencies = many 64 (n: "m${toString n}");
        addresses = many 16 (n: "10.0.0.${toString n}");
        healthChecks = many 32 (n: "tcp:${toString n}");
        role = long 1024;
      };
    };
    zero = {
      lab.machine = {
        rebootOrder = 0;
        orchestration.rebootDelay = 0;
        reboot.stable = 0;
      };
    };
    own-localhost = {
      lab.machine.orchestrator = true;
      lab.machine.healthChecks = [
        {
          type = "tcp";
          from = "orchestrator";
          host = "localhost";
          port = 22;
        }
      ];
    };
  };

  wrong = {
    http-without-url = check { type = "http"; };
    tcp-without-port = check { type = "tcp"; };
    command-without-command = check { type = "command"; };
    systemd-without-unit = check { type = "systemd"; };
    url-for-tcp = check {
      type = "tcp";
      port = 80;
      url = "http://localhost/";
    };
    port-in-url = check {
      type = "http";
      url = "http://localhost:99999/";
    };
    systemd-from-orchestrator = check {
      type = "systemd";
      unit = "nginx";
      from = "orchestrator";
    };
    localhost-from-orchestrator = check {
      type = "http";
      url = "http://127.0.0.1:8080/";
      from = "orchestrator";
    };
    self-dependency.lab.machine.dependencies = [ "box" ];
    repeated-groups.lab.machine.groups = [
      "a"
      "b"
      "a"
    ];
    repeated-dependencies.lab.machine.dependencies = [
      "a"
      "a"
    ];
    repeated-addresses.lab.machine.addresses = [
      "10.0.0.1"
      "10.0.0.1"
    ];
    too-many-groups.lab.machine.groups = many 33 (n: "g${toString n}");
    too-many-dependencies.lab.machine.dependencies = many 65 (n: "m${toString n}");
    too-many-addresses.lab.machine.addresses = many 17 (n: "10.0.0.${toString n}");
    too-many-checks.lab.machine.healthChecks = many 33 (n: "tcp:${toString n}");
    # The sum of what several modules say counts.
    too-many-together = {
      imports = map (part: {
        lab.machine.groups = many 11 (n: "${part}${toString n}");
      }) [
        "a"
        "b"
        "c"
      ];
    };
    several = {
      lab.machine.dependencies = [ "box" ];
      lab.machine.healthChecks = [
        "tcp:22"
        { type = "http"; }
      ];
    };
  };

  refused = {
    port-99999 = check {
      type = "tcp";
      port = 99999;
    };
    port-0 = check {
      type = "tcp";
      port = 0;
    };
    short-form-port = {
      lab.machine.healthChecks = [ "tcp:99999" ];
    };
    short-form-unknown = {
      lab.machine.healthChecks = [ "ping:box" ];
    };
    kind-unknown = check { type = "ping"; };
    kind-missing = check { port = 22; };
    from-unknown = check {
      type = "tcp";
      port = 22;
      from = "everywhere";
    };
    url-without-scheme = check {
      type = "http";
      url = "localhost/health";
    };
    url-with-space = check {
      type = "http";
      url = "http://local host/";
    };
    status-99 = check {
      type = "http";
      url = "http://localhost/";
      expectedStatus = 99;
    };
    timeout-0 = check {
      type = "tcp";
      port = 22;
      timeout = 0;
    };
    timeout-301 = check {
      type = "tcp";
      port = 22;
      timeout = 301;
    };
    retries-21 = check {
      type = "tcp";
      port = 22;
      retries = 21;
    };
    retries-negative = check {
      type = "tcp";
      port = 22;
      retries = -1;
    };
    interval-0 = check {
      type = "tcp";
      port = 22;
      interval = 0;
    };
    command-empty = check {
      type = "command";
      command = "  ";
    };
    unit-with-space = check {
      type = "systemd";
      unit = "a b";
    };
    role-empty.lab.machine.role = "";
    role-two-lines.lab.machine.role = "a\nb";
    role-too-long.lab.machine.role = long 1025;
    group-with-space.lab.machine.groups = [ "a b" ];
    group-with-dash.lab.machine.groups = [ "-a" ];
    group-too-long.lab.machine.groups = [ (long 64) ];
    groups-as-text.lab.machine.groups = "a";
    dependency-with-dot.lab.machine.dependencies = [ ".hidden" ];
    reboot-order-negative.lab.machine.rebootOrder = -1;
    reboot-order-10001.lab.machine.rebootOrder = 10001;
    reboot-order-text.lab.machine.rebootOrder = "1";
    reboot-delay-86401.lab.machine.orchestration.rebootDelay = 86401;
    reboot-delay-negative.lab.machine.orchestration.rebootDelay = -1;
    strategy-unknown.lab.machine.orchestration.deployStrategy = "yolo";
    criticality-unknown.lab.machine.orchestration.criticalityLevel = "urgent";
    policy-unknown.lab.machine.reboot.policy = "sometimes";
    deadline-0.lab.machine.reboot.deadlines.up = 0;
    deadline-7201.lab.machine.reboot.deadlines.down = 7201;
    stable-3601.lab.machine.reboot.stable = 3601;
    address-with-prefix.lab.machine.addresses = [ "10.0.0.1/24" ];
    address-256.lab.machine.addresses = [ "10.0.0.256" ];
    address-name.lab.machine.addresses = [ "box.home.arpa" ];
    ssh-port-65536.lab.machine.ssh.port = 65536;
    ssh-user-with-space.lab.machine.ssh.user = "a b";
    delay-is-own-by-hand.lab.machine.orchestration.rebootDelayIsOwn = true;
    role-twice.imports = [
      { lab.machine.role = "a"; }
      { lab.machine.role = "b"; }
    ];
    option-unknown.lab.machine.rolle = "nas";
    check-option-unknown = check {
      type = "tcp";
      prot = 22;
    };
    null-and-not-null.imports = [
      { lab.machine.rebootOrder = null; }
      { lab.machine.rebootOrder = 1; }
    ];
    set-as-text.lab.machine.orchestration = "rolling";
  };
}
