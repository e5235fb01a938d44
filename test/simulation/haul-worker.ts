import { parentPort } from 'node:worker_threads';
import { haul, type Stretch } from './haul.ts';

/** A thread of `npm run sim -- --workers`: simulates the stretches it is sent, one after the other. */
parentPort?.on('message', ({ stretch, brokenMax }: { stretch: Stretch; brokenMax: number }) => {
  void haul(stretch, brokenMax).then((hauled) => parentPort?.postMessage(hauled));
});
