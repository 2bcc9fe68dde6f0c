export const CELLS: readonly string[];
