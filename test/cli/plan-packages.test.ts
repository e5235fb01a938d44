import { describe, expect, test } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import type { Closures } from '../../src/ports.ts';
import { storePath } from '../../src/sim/random.ts';
import { createStage, exampleMachines } from './stage.ts';

process.env.TZ = 'UTC';

const wants = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };
const notHere = async (toplevel: string) =>
  fail({ kind: 'not-here', machine: null, phase: 'closure', message: `${toplevel} is not here`, remedy: '' });
const linuxOf = (toplevel: string, extra: readonly string[] = []) =>
  ok(
    [`linux-${toplevel.endsWith('-new') ? '6.12.11' : '6.12.8'}`, ...extra].map((name) => ({
      path: storePath(toplevel, name),
      bytes: 1_000_000,
    })),
  );

describe('what a plan changes in packages', () => {
  test('is told before the question of a run', async () => {
    const stage = createStage({ machines: exampleMachines, wants, interactive: true, answers: ['n'] });
    const { out } = await stage.run('run', '--no-update');
    expect(stage.asked).toEqual(['Go ahead? [y/N] ']);
    expect(out.match(/packages: linux 6\.12\.8 → 6\.12\.11, openssl 3\.0\.14 → 3\.0\.15/gu)).toHaveLength(2);
    expect(out.indexOf('packages:')).toBeLessThan(out.indexOf('declined'));
  });

  test('stays on a few lines where much changes', async () => {
    const names = Array.from(
      { length: 40 },
      (_, index) => `some-quite-long-package-name${'x'.repeat(index)}`,
    );
    const here: Closures['here'] = async (toplevel) =>
      linuxOf(
        toplevel,
        names.map((name) => `${name}-${toplevel.endsWith('-new') ? '2.0' : '1.0'}`),
      );
    const stage = createStage({ machines: exampleMachines, wants, closures: { here } });
    const lines = (await stage.run('plan', 'sleeper-service')).out.split('\n');
    const from = lines.findIndex((line) => line.includes('packages:'));
    const told = lines.slice(
      from,
      lines.findIndex((line) => line.includes('reboot: yes')),
    );
    expect(told.length).toBeLessThanOrEqual(4);
    expect(Math.max(...told.map((line) => line.length))).toBeLessThanOrEqual(101);
    expect(told.join(' ')).toContain('36 other packages updated');
  });

  test('asks no machine for what has yet to be built, and says that it is not known', async () => {
    const asked: string[] = [];
    const stage = createStage({
      machines: exampleMachines,
      wants,
      closures: {
        here: async (toplevel) => (toplevel.endsWith('-new') ? notHere(toplevel) : linuxOf(toplevel)),
        on: async (_machine, toplevel) => {
          asked.push(toplevel);
          return linuxOf(toplevel);
        },
      },
    });
    const { out, exitCode } = await stage.run('plan');
    expect(asked).toEqual([]);
    expect(out).not.toContain('packages:');
    expect(out).toContain(
      'What changes in the packages of 2 machines is not known before it is built: `lab diff --build`',
    );
    expect(exitCode).toBe(0);
  });

  test('is read from the machine where its old closure is no longer here', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants,
      closures: {
        here: async (toplevel) => (toplevel.endsWith('-new') ? linuxOf(toplevel) : notHere(toplevel)),
        on: async (_machine, toplevel) => linuxOf(toplevel),
      },
    });
    expect((await stage.run('plan')).out).toContain('packages: linux 6.12.8 → 6.12.11');
  });

  test('keeps nobody waiting: a store that does not answer leaves it untold', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants,
      closures: {
        here: (toplevel, { signal }) =>
          toplevel.includes('grey-area')
            ? new Promise((resolve) => {
                signal?.addEventListener('abort', () => resolve(notHere(toplevel)), { once: true });
              })
            : Promise.resolve(linuxOf(toplevel)),
      },
    });
    const { out, exitCode } = await stage.run('plan');
    expect(exitCode).toBe(0);
    expect(stage.elapsed()).toBeLessThanOrEqual(4_000);
    expect(out.match(/packages: linux/gu)).toHaveLength(1);
    expect(out).toContain('the packages of grey-area were not compared within 3 s: `lab diff` names them.');
  });
});
