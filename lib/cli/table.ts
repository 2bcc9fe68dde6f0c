export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/**
 * Lines of a table. The last column is neither padded nor measured: file names go there, since how wide a terminal
 * draws them depends on the terminal.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all.map((row) =>
    columns
      .map(({ right = false }, i) => {
        const cell = row[i] ?? '';
        if (i === columns.length - 1) return cell;
        const { [i]: width = 0 } = widths;
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
