import type { Machine } from '../../fleet/machine.ts';
import { blank, type Line, line } from '../draw/line.ts';
import { tabStrip } from '../draw/tab-strip.ts';
import { dependencyLines } from './machine-dependencies.ts';
import type { MachineScene } from './machine-facts.ts';
import { generationsPane } from './machine-generations.ts';
import { healthLines } from './machine-health.ts';
import { journalLines } from './machine-journal.ts';
import { metadataLines } from './machine-metadata.ts';
import { failedLines, overviewLines } from './machine-overview.ts';
import { type Pane, textPane } from './pane.ts';
import { remoteLogsPane } from './remote-logs.ts';

/** One machine in tabs. */
export const machineTabs = [
  'overview',
  'health',
  'sequence',
  'generations',
  'journal',
  'logs',
  'metadata',
] as const;
export type MachineTab = (typeof machineTabs)[number];

const tabPane = (
  scene: MachineScene,
  tab: MachineTab,
  machine: Machine,
  search: string,
  wrap: boolean,
): Pane => {
  switch (tab) {
    case 'overview':
      return textPane(overviewLines(scene, machine));
    case 'health':
      return textPane(healthLines(scene, machine));
    case 'sequence':
      return textPane(dependencyLines(scene, machine));
    case 'generations':
      return generationsPane(scene);
    case 'journal':
      return textPane(journalLines(scene));
    case 'logs':
      return remoteLogsPane(scene, search, wrap);
    case 'metadata':
      return textPane(metadataLines(scene, machine));
    default:
      return tab satisfies never;
  }
};

const tabLine = (tab: MachineTab, width: number): Line =>
  tabStrip(
    machineTabs.map((name) => ({
      forms: [name, name.slice(0, 4), name.slice(0, 4), name.slice(0, 1)],
      open: name === tab,
      alert: false,
    })),
    width,
  );

/** The machine `name`; a machine that the flake no longer names says so. */
export const machinePane = (
  scene: Omit<MachineScene, 'row'> & {
    readonly name: string;
    readonly tab: MachineTab;
    readonly search: string;
    readonly wrap: boolean;
  },
): Pane => {
  const row = scene.rows.find(({ name }) => name === scene.name);
  if (row === undefined)
    return textPane([line(`  the flake no longer names ${scene.pen.clean(scene.name)}`, 'warn')]);
  const full: MachineScene = { ...scene, row };
  const { machine } = row;
  if (machine === null) return textPane([blank, ...failedLines(full)]);
  const pane = tabPane(full, scene.tab, machine, scene.search, scene.wrap);
  return { ...pane, head: [tabLine(scene.tab, scene.width), blank, ...pane.head] };
};
