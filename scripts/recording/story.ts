/** What is shown in a recording, as keys and what they lead to. */
export type Scene = {
  readonly keys: readonly string[];
  /** The scene begins when this is on the screen. */
  readonly shows: RegExp;
  /** How long the picture stands, seconds. */
  readonly seconds: number;
  /** From here on there is a picture of whatever changes, until this is on the screen. */
  readonly until?: RegExp;
};

export type Story = {
  readonly name: string;
  readonly columns: number;
  readonly rows: number;
  /** Of the demo. */
  readonly speed: number;
  readonly seed: number;
  readonly scenes: readonly Scene[];
};

const esc = '\u001b';
const looked = /killing-time +\S offline/u;

const whole: Story = {
  ...{ name: 'demo', columns: 100, rows: 30, speed: 3, seed: 1 },
  scenes: [
    { keys: [], shows: looked, seconds: 3 },
    { keys: ['j'], shows: /▶ {2}grey-area/u, seconds: 0.4 },
    { keys: ['j', 'j'], shows: /▶ {2}lightly-seared/u, seconds: 1 },
    { keys: ['d'], shows: /\[overview\]/u, seconds: 3 },
    { keys: [']'], shows: /\[health\]/u, seconds: 2.5 },
    { keys: [esc], shows: /MACHINE/u, seconds: 0.6 },
    { keys: ['2'], shows: /longest chain/u, seconds: 3 },
    { keys: ['r'], shows: /Preparing: full run/u, seconds: 0.8, until: /Plan: full run/u },
    { keys: [], shows: /Plan: full run/u, seconds: 3 },
    { keys: ['G'], shows: /Nothing to do/u, seconds: 3 },
    { keys: ['a'], shows: /▶ Cancel/u, seconds: 2 },
    { keys: ['\t'], shows: /▶ Start/u, seconds: 1 },
    { keys: ['\r'], shows: /Running: full run/u, seconds: 0.5, until: /Run (?:done|held|partial)/u },
    { keys: [], shows: /what happened/u, seconds: 5 },
    { keys: ['8'], shows: /\[8 Pulse\]/u, seconds: 4 },
  ],
};

/** For the test of the recorder: as little as has all the parts. */
const short: Story = {
  ...{ ...whole, name: 'short', speed: 50 },
  scenes: [
    { keys: [], shows: looked, seconds: 1 },
    { keys: ['r'], shows: /Preparing|Plan/u, seconds: 0.5, until: /Plan: full run/u },
    { keys: [], shows: /Plan: full run/u, seconds: 1 },
  ],
};

export const stories: readonly Story[] = [whole, short];
