# The enabled services of the machines named: names: configurations: [ { name; services; } ], told as in fleet.nix.
#
# `config.services` throws as a whole, because it holds options that were removed from NixOS. So this walks
# `options.services`: it leaves out what is hidden (removed and renamed options), and asks for the value of an
# `enable` only where the configuration sets it. One level more is looked at where there is no `enable`
# (`services.nfs.server`). A service whose `enable` fails to evaluate is left out.
names: configurations:
let
  attempt =
    value:
    let
      tried = builtins.tryEval value;
    in
    tried.success && tried.value;
  isOption = value: value._type or null == "option";
  isSet = value: attempt (builtins.isAttrs value && !isOption value);

  isOn =
    set:
    attempt (
      set ? enable
      && isOption set.enable
      && (set.enable.visible or true) != false
      && set.enable.highestPrio < 1500
      && set.enable.value == true
    );

  servicesOf =
    name:
    let
      services =
        (configurations.${name} or (throw "the flake has no nixosConfigurations.${name}")).options.services
          or { };
      inner =
        service:
        map (part: "${service}.${part}") (
          builtins.filter (part: isSet services.${service}.${part} && isOn services.${service}.${part}) (
            builtins.attrNames services.${service}
          )
        );
      of =
        service:
        if !isSet services.${service} then
          [ ]
        else if services.${service} ? enable then
          if isOn services.${service} then [ service ] else [ ]
        else
          inner service;
    in
    builtins.concatLists (map of (builtins.attrNames services));

  told =
    name:
    builtins.addErrorContext "@lab host ${name}" (
      builtins.trace "@lab begin ${name}" (
        let
          json = builtins.toJSON {
            inherit name;
            services = servicesOf name;
          };
        in
        builtins.trace "@lab ok ${name} ${json}" (builtins.fromJSON json)
      )
    );
in
map told names
