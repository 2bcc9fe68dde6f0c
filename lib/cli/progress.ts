import type { MultiBar, Options, Params, SingleBar } from 'cli-progress';
import { printable } from '../printable.js';
import type { Output } from './environment.js';
import { formatSize, formatRate, formatTime } from './units.js';

interface Payload {
  readonly label: string;
  readonly started: number;
}

/** Bars for the files that are being sent and one for all of them, on a terminal. */
export class ProgressBars {
  readonly #bars: MultiBar;
  readonly #total: SingleBar;
  readonly #ofFile = new Map<number, SingleBar>();
  readonly #sent = new Map<number, bigint>();
  readonly #most: number;
  #sum = 0n;

  private constructor(bars: MultiBar, output: Output, totalSize: bigint, label: string) {
    this.#bars = bars;
    // Bars that do not fit on the screen would scroll, and be drawn again and again.
    const { rows = 24 } = output;
    this.#most = Math.max(1, rows - 3);
    this.#total = bars.create(Number(totalSize), 0, payload(label));
  }

  static async start(output: Output, totalSize: bigint, label: string): Promise<ProgressBars> {
    const { default: progress } = await import('cli-progress');
    const options: Options = {
      stream: output,
      format: (_options, params, { label, started }: Payload) => drawLine(params, label, performance.now() - started),
      clearOnComplete: true,
      // False would switch the terminal's wrapping off, also for the lines above, and beyond a process that is killed.
      linewrap: true,
      forceRedraw: true,
      gracefulExit: false,
      emptyOnZero: false,
    };
    return new ProgressBars(new progress.MultiBar(options), output, totalSize, label);
  }

  /** So many bytes of a file are sent. */
  update(index: number, name: string, sent: bigint, size: bigint): void {
    let bar = this.#ofFile.get(index);
    if (bar === undefined && this.#ofFile.size < this.#most) {
      // cli-progress throws on a bigint.
      bar = this.#bars.create(Number(size), 0, payload(printable(name)));
      this.#ofFile.set(index, bar);
    }
    bar?.update(Number(sent));
    this.#sum += sent - (this.#sent.get(index) ?? 0n);
    this.#sent.set(index, sent);
    this.#total.update(Number(this.#sum));
  }

  /** The file is through, or begins again. */
  end(index: number): void {
    const bar = this.#ofFile.get(index);
    if (bar === undefined) return;
    this.#ofFile.delete(index);
    this.#bars.remove(bar);
  }

  /** A line above the bars, to stay. */
  line(text: string): void {
    // What is left of the bars below would show through a line that wraps.
    this.#bars.log(`\u001b[0J${text}\n`);
  }

  stop(): void {
    this.#bars.update();
    this.#bars.stop();
  }
}

function payload(label: string): Payload {
  return { label, started: performance.now() };
}

/** One line that fits the width of the terminal: bar, share, size, rate, time left, and as much as fits of the label. */
export function drawLine({ progress, value, total, maxWidth }: Params, label: string, ms: number): string {
  const barWidth = Math.min(24, Math.max(8, maxWidth - 72));
  const filled = Math.round(progress * barWidth);
  const bar = '='.repeat(filled) + ' '.repeat(barWidth - filled);
  const percent = `${Math.floor(progress * 100)}%`.padStart(4);
  const size = formatSize(total).padStart(8);
  const rate = (value > 0 ? formatRate(value, ms) : '').padStart(10);
  const left = value > 0 && value < total ? formatTime((ms * (total - value)) / value) : '';
  const line = `[${bar}] ${percent} of ${size} ${rate} ${left.padStart(8)} `;
  return cut(line + label, maxWidth - 1);
}

/** What is wide in East Asian scripts counts two cells, and so does everything else past U+1100: rather short than wrapped. */
function cut(text: string, width: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += character >= '\u1100' ? 2 : 1;
    if (used > width) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
