# Named by every generated hardware-configuration.nix; nothing to add here.
{ }
