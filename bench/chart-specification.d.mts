import type { CellResult } from './report.mjs';

export function specification(result: CellResult): object | undefined;
export function chartStamp(result: CellResult): string;
