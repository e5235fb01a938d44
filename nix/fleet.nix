# What `lab` knows of the machines named, out of the flake's nixosConfigurations: names: configurations: [ record ].
#
# Each machine is announced by the trace `@lab begin NAME` and told by `@lab ok NAME JSON`; an error carries
# `@lab host NAME`. So one process evaluates many machines, and the one that fails is known.
# A machine without the module lab-machine.nix has `labMachine = false` and the module's defaults.
# This text is an argument of `nix eval --apply`: it imports nothing and builds nothing.
names: configurations:
let
  # A check as its kind needs it. The module has refused what is incomplete.
  checkOf =
    fallbackHost: check:
    let
      kinds = {
        http = {
          inherit (check) url;
          expectedStatus = check.expectedStatus or 200;
          expectedBody = check.expectedBody or null;
        };
        tcp = {
          inherit (check) port;
          host =
            if (check.host or null) != null then
              check.host
            else if (check.from or "target") == "target" then
              "localhost"
            else
              fallbackHost;
        };
        command = { inherit (check) command; };
        systemd = { inherit (check) unit; };
      };
    in
    {
      inherit (check) type;
      name = check.name or null;
      from = check.from or "target";
      timeoutSeconds = check.timeout or 10;
      retries = check.retries or 3;
      intervalSeconds = check.interval or 5;
    }
    // kinds.${check.type};

  # Before NixOS 21.11, which has no `extendModules`, `options` and `config` come of two evaluations of all modules:
  # looking at both would double the cost of every machine.
  systemOf =
    configuration:
    let
      apart = !(configuration ? extendModules);
      option = if apart then { } else configuration.options.nixpkgs.hostPlatform or { };
      old = if apart then { } else configuration.options.nixpkgs.system or { };
      nixpkgs = configuration.config.nixpkgs or { };
      cross = nixpkgs.crossSystem or null;
    in
    if option.isDefined or false then
      nixpkgs.hostPlatform.system
    else if old.highestPrio or 1500 < 1500 then
      nixpkgs.system
    else if apart && cross != null then
      cross.system
    else if apart && nixpkgs ? localSystem then
      nixpkgs.localSystem.system
    else
      configuration.pkgs.stdenv.hostPlatform.system;

  recordOf =
    name:
    let
      configuration =
        configurations.${name} or (throw "the flake has no nixosConfigurations.${name}");
      inherit (configuration.config.networking) hostName;
      given = configuration.config.lab.machine or null;
      lab = if given == null then { } else given;
      problems = lab.problems or [ ];
      addresses = lab.addresses or [ ];
      sshHost = lab.ssh.host or null;
      orchestration = lab.orchestration or { };
      deadlines = lab.reboot.deadlines or { };
      fallbackHost =
        if sshHost != null then
          sshHost
        else if addresses != [ ] then
          builtins.head addresses
        else if hostName != "" then
          hostName
        else
          name;
    in
    if problems != [ ] then
      throw (builtins.concatStringsSep "; " problems)
    else
      {
        inherit name hostName addresses;
        labMachine = given != null;
        system = systemOf configuration;
        role = lab.role or null;
        groups = lab.groups or [ ];
        rebootOrder = lab.rebootOrder or null;
        dependencies = lab.dependencies or [ ];
        orchestrator = lab.orchestrator or false;
        ssh = {
          host = sshHost;
          port = lab.ssh.port or null;
          user = lab.ssh.user or null;
        };
        healthChecks = map (checkOf fallbackHost) (lab.healthChecks or [ ]);
        orchestration = {
          deployStrategy = orchestration.deployStrategy or "rolling";
          rebootDelay = orchestration.rebootDelay or 600;
          rebootDelayIsOwn = orchestration.rebootDelayIsOwn or (orchestration ? rebootDelay);
          criticalityLevel = orchestration.criticalityLevel or "medium";
        };
        reboot = {
          policy = lab.reboot.policy or "when-needed";
          deadlines = {
            down = deadlines.down or 300;
            up = deadlines.up or 600;
            healthy = deadlines.healthy or 300;
          };
          stable = lab.reboot.stable or 30;
          blockOnUsers = lab.reboot.blockOnUsers or "active";
          minUptime = lab.reboot.minUptime or 300;
        };
      };

  told =
    name:
    builtins.addErrorContext "@lab host ${name}" (
      builtins.trace "@lab begin ${name}" (
        let
          json = builtins.unsafeDiscardStringContext (builtins.toJSON (recordOf name));
        in
        builtins.trace "@lab ok ${name} ${json}" (builtins.fromJSON json)
      )
    );
in
map told names
