import { fileURLToPath } from 'node:url';
import { runProcess } from '../../src/process/run.ts';
import { environmentIn } from './directory.ts';
import { checked, script } from './host-scripts.ts';

const buildDeadlineMs = 60_000;
const factory = fileURLToPath(new URL('factory.nix', import.meta.url));

/** Builds the system that the hosts of the fleet in `directory` come with. Rejects with what Nix said. */
export const buildFactory = async (directory: string): Promise<void> => {
  checked(
    'the build of factory.nix',
    await runProcess(['bash', script('factory.sh'), directory, factory], {
      deadlineMs: buildDeadlineMs,
      env: environmentIn(directory),
    }),
  );
};
