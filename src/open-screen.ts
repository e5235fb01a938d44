import type { LabOptions } from './cli/lab.ts';
import type { Surroundings } from './compose.ts';

export const openScreen = async (
  _options: LabOptions,
  _screen: { readonly readonly: boolean },
  _around: Surroundings,
): Promise<number> => 2;
export const openDemo = async (
  _options: { readonly seed: number; readonly speed: number },
  _around: Surroundings,
): Promise<number> => 2;
