import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** House rules that a reader could forget, as tests. */

const root = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = tracked.filter((path) => /^src\/.*\.tsx?$/u.test(path));
const code = tracked.filter((path) => /\.(tsx?|sh|nix)$/u.test(path) || /^(bin|\.ci)\//u.test(path));

const importsOf = (path: string): readonly string[] =>
  [...read(path).matchAll(/(?:from|import\()\s*'([^']+)'/gu)].map((match) => match[1] ?? '');
const localImportsOf = (path: string): readonly string[] =>
  importsOf(path)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, join(root, dirname(path), name)));

/** `src/fleet/order.ts` → `fleet`; `src/ports.ts` → `ports.ts`. */
const areaOf = (path: string): string => path.split('/')[1] ?? '';

/** What each part may import. `failure`, `ports` and `text` are the ground everything stands on. */
const ground = ['failure.ts', 'text'];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'failure.ts': [],
  'ports.ts': ['ports'],
  ports: ['failure.ts', 'fleet'],
  'concurrency.ts': [],
  'clock.ts': ['ports.ts'],
  text: [],
  fleet: [...ground],
  plan: [...ground, 'fleet', 'ports.ts'],
  run: [...ground, 'fleet', 'plan', 'ports.ts', 'concurrency.ts'],
  journal: [...ground, 'run'],
  process: [...ground],
  ssh: [...ground, 'fleet', 'ports.ts', 'process'],
  remote: [...ground, 'fleet', 'ports.ts', 'ssh'],
  health: [...ground, 'fleet', 'ports.ts', 'process', 'concurrency.ts'],
  'nix-integration': [...ground, 'fleet', 'ports.ts', 'process', 'ssh/quote.ts'],
  sim: [...ground, 'fleet', 'health', 'plan', 'run', 'journal', 'ports.ts'],
  flow: [...ground, 'fleet', 'plan', 'run', 'journal', 'ports.ts', 'concurrency.ts'],
  tui: [...ground, 'fleet', 'plan', 'run', 'flow', 'ports.ts'],
  cli: [...ground, 'fleet', 'plan', 'run', 'journal', 'flow', 'ports.ts', 'process/account.ts'],
};

describe('imports', () => {
  test('go in one direction only', () => {
    const wrong = sources.flatMap((path) => {
      const allowed = mayImport[areaOf(path)];
      // main.ts and compose/ are the composition root: they join everything.
      if (allowed === undefined)
        return ['main.ts', 'compose'].includes(areaOf(path))
          ? []
          : [`${path} is in no known part of the house`];
      return localImportsOf(path)
        .filter(
          (target) =>
            areaOf(target) !== areaOf(path) &&
            !allowed.includes(areaOf(target)) &&
            !allowed.includes(target.slice('src/'.length)),
        )
        .map((target) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('leave no file behind that nothing reaches', () => {
    const reached = new Set<string>();
    // The simulator's virtual clock is reached from the command that replays simulated runs.
    const queue = ['src/main.ts', 'scripts/sim.ts'];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      queue.push(...localImportsOf(path));
    }
    expect(sources.filter((path) => !reached.has(path))).toEqual([]);
  });

  test('of packages are declared, and every declared package is used', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const used = new Set(
      sources
        .flatMap(importsOf)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    );
    expect([...used].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

/** Pattern, where it may stand, and why it may stand nowhere else. */
const banned: readonly {
  readonly what: RegExp;
  readonly within: RegExp;
  readonly except: RegExp | null;
  readonly why: string;
}[] = [
  {
    what: /from '(?:node:child_process|execa)'/u,
    within: /^src\//u,
    except: /^src\/process\//u,
    why: 'processes are started in one place',
  },
  {
    what: /\bprocess\.(?:argv|env|exitCode|exit)\b/u,
    within: /^src\//u,
    except: /^src\/main\.ts$/u,
    why: 'main.ts alone reads argv and environment and sets the exit code',
  },
  { what: /\bshell:\s*true/u, within: /./u, except: /^test\/tidy/u, why: 'commands are argv arrays' },
  {
    what: /@ts-(?:ignore|expect-error|nocheck)|\bas any\b|:\s*any\b/u,
    within: /\.tsx?$/u,
    except: /^test\/tidy/u,
    why: 'types are strict',
  },
  {
    what: /\bconsole\.\w+\(/u,
    within: /^src\//u,
    except: null,
    why: 'output goes through the command that prints it',
  },
  {
    what: /\b(?:TODO|FIXME|XXX|HACK)\b/u,
    within: /./u,
    except: /^test\/tidy/u,
    why: 'what is left to do is an issue, not a comment',
  },
  {
    what: /\b(?:test|it|describe)\.(?:only|todo)\b|\bxit\(|\bxdescribe\(/u,
    within: /^test\//u,
    except: /^test\/tidy/u,
    why: 'no test is focused or left open',
  },
  { what: /\/work\/|(?<!pid)\/root\//u, within: /./u, except: /^test\/tidy/u, why: 'no path of one machine' },
  {
    what: /\bsetTimeout\(/u,
    within: /^src\/(?:fleet|plan|run|tui)\//u,
    except: null,
    why: 'pure parts do not wait; waiting is the clock port',
  },
  {
    what: /Date\.now\(|Math\.random\(|new Date\(\)/u,
    within: /^src\/(?:fleet|plan|run|journal|tui|sim|cli|flow)\//u,
    except: null,
    why: 'time and chance come from ports',
  },
];

describe('the code', () => {
  for (const { what, within, except, why } of banned)
    test(`${why} (${what.source})`, () => {
      const found = code
        .filter((path) => within.test(path) && !(except?.test(path) ?? false))
        .flatMap((path) =>
          read(path)
            .split('\n')
            .flatMap((line, index) => (what.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
        );
      expect(found).toEqual([]);
    });

  test('keeps one idea to a file: at most 300 lines, unless a reason is given here', () => {
    const reasons: Readonly<Record<string, string>> = {};
    const long = sources.filter((path) => read(path).split('\n').length > 301 && reasons[path] === undefined);
    expect(long).toEqual([]);
    const short = Object.keys(reasons).filter(
      (path) => !existsSync(join(root, path)) || read(path).split('\n').length <= 301,
    );
    expect(short, 'a reason that is no longer needed').toEqual([]);
  });
});

describe('the documents', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

  test('are there, and name only files that exist', () => {
    const missing = documents.flatMap((document) =>
      [...read(document).matchAll(/`((?:src|nix|test|hosts|bench|bin|scripts)\/[\w./-]*)`/gu)]
        .map((match) => match[1] ?? '')
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${document} names ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('give every dependency its reason', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const architecture = read('ARCHITECTURE.md');
    const unexplained = [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})].filter(
      (name) => !architecture.includes(`\`${name}\``),
    );
    expect(unexplained).toEqual([]);
  });

  test('tell of every command', () => {
    const program = read('src/cli/program.ts');
    expect(program).toContain('register');
    const names = sources
      .filter((path) => path.startsWith('src/cli/commands/'))
      .flatMap((path) =>
        [...read(path).matchAll(/\.command\('([\w-]+)'\)/gu)].map((match) => match[1] ?? ''),
      );
    expect(names.length).toBeGreaterThan(10);
    const readme = read('README.md');
    expect(names.filter((name) => !readme.includes(`lab ${name}`))).toEqual([]);
  });
});
