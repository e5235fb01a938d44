/** What may be passed to a machine as a toplevel: one output in the Nix store, and nothing below it. */
export const toplevelPattern = /^\/nix\/store\/[a-z0-9]{32}-[A-Za-z0-9+._?=-]+$/;
/** Anything in the Nix store, as a link of a toplevel resolves. */
export const storePathPattern =
  /^\/nix\/store\/[a-z0-9]{32}-[A-Za-z0-9+._?=-]+(?:\/[^\u0000-\u001f\u007f]*)?$/;
/** As the kernel writes it. */
export const bootIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const unitPattern = /^[A-Za-z0-9][A-Za-z0-9:_.-]{0,199}$/;

/** A name for a transient unit, without suffix: `lab-20260101-120000-beef-grey-area-activate`. */
export const isUnitName = (name: string): boolean =>
  unitPattern.test(name) && !/\.(?:service|timer)$/.test(name);
export const isToplevel = (path: string): boolean => path.length <= 255 && toplevelPattern.test(path);
export const isBootId = (text: string): boolean => bootIdPattern.test(text);
