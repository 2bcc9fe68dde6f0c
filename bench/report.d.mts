/** A cell's results, as far as the specs look at them. */
export interface CellResult {
  readonly cell: string;
  readonly commit: string;
  readonly quick: boolean;
  readonly series: readonly {
    readonly id: string;
    readonly noise: number | null;
    readonly contestants: readonly {
      readonly id: string;
      readonly missing?: string;
      readonly error?: string;
      readonly runs: readonly unknown[];
    }[];
  }[];
}

export function readResults(folder: URL): CellResult[];
export function report(cells: CellResult[]): string;
