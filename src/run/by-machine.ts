/**
 * One thing of each machine of a plan, found by name and never changed in place: what every event of a run makes anew.
 * The places are shared, so that only a list is copied.
 */
export type ByMachine<T> = {
  readonly places: ReadonlyMap<string, number>;
  readonly all: readonly T[];
};

export const byMachine = <T>(entries: readonly (readonly [name: string, value: T])[]): ByMachine<T> => ({
  places: new Map(entries.map(([name], place) => [name, place])),
  all: entries.map(([, value]) => value),
});

/** That of the machine, or undefined where the plan has no such machine. */
export const ofMachine = <T>({ places, all }: ByMachine<T>, name: string): T | undefined => {
  const place = places.get(name);
  return place === undefined ? undefined : all[place];
};

/** With another value for one machine; the same where the plan has no such machine. */
export const withMachine = <T>(of: ByMachine<T>, name: string, value: T): ByMachine<T> => {
  const place = of.places.get(name);
  return place === undefined ? of : { places: of.places, all: of.all.with(place, value) };
};

export const mapMachines = <T>({ places, all }: ByMachine<T>, change: (value: T) => T): ByMachine<T> => ({
  places,
  all: all.map(change),
});
