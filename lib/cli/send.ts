import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../cause.js';
import type { GoAheadError } from '../errors.js';
import { plural } from '../plural.js';
import type { Receipt } from '../net/client.js';
import { sendAll, type FileToSend, type SendAllOptions, type SendEvent } from '../net/send-all.js';
import { printable } from '../printable.js';
import { encodeHeader } from '../wire/header.js';
import type { Environment, Signal } from './environment.js';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { PAUSED_CHUNK_SIZE, type Address } from './options.js';
import { Printer, printableMessage } from './printer.js';
import { ProgressBars } from './progress.js';
import { onSignals } from './signals.js';
import { checkSendTls, readClientTls, type TlsFlags } from './tls.js';
import { formatRate, formatSize, formatTime } from './units.js';

/** The options of the command; where they have the name of a client's option they are passed on as they are. */
export interface SendFlags
  extends
    TlsFlags,
    Pick<
      SendAllOptions,
      | 'concurrency'
      | 'pause'
      | 'chunkSize'
      | 'retries'
      | 'connectTimeout'
      | 'replyTimeout'
      | 'sendTimeout'
      | 'confirmTimeout'
    > {
  readonly to?: Address;
  readonly as?: string;
  readonly size?: bigint;
  readonly tls?: boolean;
  readonly json?: boolean;
}

const STDIN = '-';
/** What it is announced as by default. */
const STDIN_NAME = 'stdin';

/** For people. */
function titleOf(file: string): string {
  return file === STDIN ? 'standard input' : file;
}

/** What is wrong with a command line whose single options are right. */
export function checkSendUsage(files: readonly string[], flags: SendFlags): string | undefined {
  const { as, size } = flags;
  if (as !== undefined && files.length > 1) return '--as names one file, and there are several';
  const unfit = as === undefined ? undefined : whyUnfit(as);
  if (unfit !== undefined) return `--as: ${unfit}`;
  const stdins = files.filter((file) => file === STDIN).length;
  if (stdins === 0) {
    return size === undefined ? checkSendTls(flags) : '--size is for standard input (-), files know theirs';
  }
  if (files.length > 1) return 'standard input (-) is sent alone';
  if (size === undefined) return 'standard input (-) needs --size, as it is announced first';
  return checkSendTls(flags);
}

function whyUnfit(name: string): string | undefined {
  try {
    encodeHeader({ size: 0n, name });
    return undefined;
  } catch (reason) {
    return messageOf(reason);
  }
}

/** Sends the files and prints what becomes of each; returns the exit code. */
export async function sendFiles(files: readonly string[], flags: SendFlags, environment: Environment): Promise<number> {
  const { to, as, size, json = false, tls: secure = false, tlsCert, tlsKey, tlsCa, ...options } = flags;
  const { pause = 0, chunkSize = pause > 0 ? PAUSED_CHUNK_SIZE : undefined } = options;
  const tls = secure && (await readClientTls({ tlsCert, tlsKey, tlsCa }));
  const list = files.map((file): FileToSend & { readonly name: string } => ({
    file: file === STDIN ? environment.stdin : file,
    name: as ?? (file === STDIN ? STDIN_NAME : basename(file)),
    ...(size === undefined ? {} : { size }),
  }));
  const abort = new AbortController();
  let signalled: Signal | undefined;
  const off = onSignals(environment.signals, (signal) => {
    signalled = signal;
    abort.abort();
  });
  const report = await Report.start(files, list, json, size, environment);
  try {
    const start = performance.now();
    const results = await sendAll(list, {
      ...options,
      ...to,
      chunkSize,
      tls,
      signal: abort.signal,
      onEvent: (event) => report.tell(event),
    });
    const receipts = results.flatMap((result) => (result.kind === 'confirmed' ? [result.receipt] : []));
    report.finish(receipts, performance.now() - start);
    if (signalled !== undefined) return EXIT_BY_SIGNAL[signalled];
    return receipts.length === files.length ? EXIT.ok : EXIT.failed;
  } finally {
    off();
    // A pipe that is still open would keep the process.
    if (files.includes(STDIN)) environment.stdin.destroy();
  }
}

/** Prints what becomes of the files: JSON or text, and bars where a person looks on. */
class Report {
  readonly #files: readonly string[];
  readonly #names: readonly string[];
  readonly #json: boolean;
  readonly #out: Printer;
  readonly #err: Printer;
  #bars: ProgressBars | undefined;

  private constructor(files: readonly string[], names: readonly string[], json: boolean, environment: Environment) {
    this.#files = files;
    this.#names = names;
    this.#json = json;
    this.#out = new Printer(environment.stdout, environment.variables);
    this.#err = new Printer(environment.stderr, environment.variables);
  }

  static async start(
    files: readonly string[],
    list: readonly { readonly name: string }[],
    json: boolean,
    size: bigint | undefined,
    environment: Environment,
  ): Promise<Report> {
    const names = list.map(({ name }) => name);
    const report = new Report(files, names, json, environment);
    // Objects and bars on one terminal would be neither.
    if (report.#err.isTerminal && !(json && report.#out.isTerminal)) {
      const total = size ?? (await totalSize(files));
      report.#bars = await ProgressBars.start(environment.stderr, total, plural(files.length, 'file'));
    }
    return report;
  }

  tell(event: SendEvent): void {
    const { index } = event;
    const { [index]: file = '' } = this.#files;
    const { [index]: name = '' } = this.#names;
    switch (event.kind) {
      case 'progress':
        this.#bars?.update(index, name, event.sent, event.size);
        return;
      case 'retrying':
        this.#bars?.end(index);
        if (!this.#json) {
          const { message, code } = event.error;
          this.#note(`${printable(titleOf(file))}: ${printableMessage(message)} (${code}); trying again`);
        }
        return;
      case 'confirmed':
        this.#bars?.end(index);
        this.#confirmed(file, event.receipt);
        return;
      case 'failed':
        this.#bars?.end(index);
        this.#failed(file, name, event.error);
        return;
    }
  }

  finish(receipts: readonly Receipt[], ms: number): void {
    this.#bars?.stop();
    if (this.#json || this.#files.length < 2) return;
    const bytes = receipts.reduce((sum, { size }) => sum + size, 0n);
    const count = `${receipts.length} of ${plural(this.#files.length, 'file')}`;
    this.#out.line(`sent ${count}, ${formatSize(bytes)} in ${formatTime(ms)} (${formatRate(bytes, ms)})`);
  }

  #confirmed(file: string, { name, size, ms, attempts }: Receipt): void {
    if (this.#json) {
      this.#out.json({ event: 'confirmed', file, name, size, ms: Math.round(ms), attempts });
      return;
    }
    const as = name === basename(file) ? '' : ` as "${printable(name)}"`;
    const tries = attempts === 1 ? '' : `, ${attempts} tries`;
    const figures = `${formatSize(size)} in ${formatTime(ms)} (${formatRate(size, ms)})`;
    const text = `${this.#out.paint('green', 'sent')} ${printable(titleOf(file))}${as}: ${figures}${tries}`;
    // Text and bars on one terminal must not overwrite each other.
    if (this.#bars !== undefined && this.#out.isTerminal) this.#bars.line(text);
    else this.#out.line(text);
  }

  #failed(file: string, name: string, { code, message, mayBeStored }: GoAheadError): void {
    if (this.#json) {
      this.#out.json({ event: 'failed', file, name, code, message, mayBeStored });
      return;
    }
    const perhaps = mayBeStored ? '; the server may have stored it all the same' : '';
    // Errors of files begin with the path; others may begin with words that are somebody's file.
    const named = (code === 'SOURCE_INVALID' || code === 'SOURCE_CHANGED') && message.startsWith(file);
    const what = named ? message : `${titleOf(file)}: ${message}`;
    const remedy = code === 'NAME_INVALID' ? '; --as gives it another name' : '';
    this.#note(`${this.#err.paint('red', 'failed')} ${printableMessage(what)}${remedy} (${code})${perhaps}`);
  }

  #note(text: string): void {
    if (this.#bars === undefined) this.#err.line(text);
    else this.#bars.line(text);
  }
}

/** For the bar only: what is wrong with a file is said when its turn comes. */
async function totalSize(files: readonly string[]): Promise<bigint> {
  const sizes = files.map(async (file) => {
    try {
      return (await stat(file, { bigint: true })).size;
    } catch {
      return 0n;
    }
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0n);
}
