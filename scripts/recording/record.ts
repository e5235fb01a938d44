import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPty } from '../pty-terminal.ts';
import { asciicastOf, type Output } from './asciicast.ts';
import { type Picture, pictureOf } from './picture.ts';
import type { Story } from './story.ts';
import { type Frame, svgOf } from './svg.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const clock = new URL('fixed-clock.ts', import.meta.url).href;

const betweenKeysMs = 120;
/** While something goes on, a picture is taken this often, and stands in the recording for this long. */
const watchEveryMs = 500;
const watchedSeconds = 0.45;
const watchDeadlineMs = 120_000;

/** Plays a story with the real demo on a pseudo-terminal, which the bundle has to be built for. */
export const record = async (
  story: Story,
): Promise<{ readonly cast: string; readonly svg: string; readonly frames: readonly Frame[] }> => {
  const { columns, rows, seed, speed } = story;
  const began = performance.now();
  const outputs: Output[] = [];
  const decoder = new TextDecoder();
  const terminal = openPty(
    [
      ...[process.execPath, '--disable-warning=ExperimentalWarning', '--import', clock],
      ...[`${root}dist/main.js`, 'demo', '--seed', String(seed), '--speed', String(speed)],
    ],
    {
      columns,
      rows,
      // The skin for dark terminals.
      env: { COLORFGBG: '15;0', TZ: 'UTC', XDG_CONFIG_HOME: '/nonexistent' },
      onOutput: (data) => {
        const text = decoder.decode(data, { stream: true });
        outputs.push({ at: (performance.now() - began) / 1_000, text });
      },
    },
  );
  const frames: Frame[] = [];
  const take = (seconds: number): void => {
    const picture: Picture = pictureOf(terminal.buffer(), columns, rows);
    frames.push({ picture, seconds });
  };
  try {
    for (const { keys, shows, seconds, until } of story.scenes) {
      for (const key of keys) {
        terminal.type(key);
        await pause(betweenKeysMs);
      }
      await terminal.waitFor((text) => shows.test(text), String(shows));
      const shown = performance.now();
      // What belongs to the same frame may still be on its way.
      await pause(betweenKeysMs);
      take(seconds);
      const latest = performance.now() + watchDeadlineMs;
      while (until !== undefined && !until.test(terminal.text())) {
        if (performance.now() > latest) throw new Error(`waited in vain for ${until}:\n${terminal.text()}`);
        await pause(watchEveryMs);
        take(watchedSeconds);
      }
      // The cast goes at the pace of its story.
      if (until === undefined) await pause(Math.max(0, seconds * 1_000 - (performance.now() - shown)));
    }
    const title = 'lab demo: machines, a plan, its approval, the run and what came of it';
    return {
      cast: asciicastOf(outputs, { width: columns, height: rows, title }),
      svg: svgOf(frames, story, title),
      frames,
    };
  } finally {
    await terminal.close();
  }
};
