/** What a command needs of a terminal, a pipe or a file that it writes to. */
export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface Signals {
  on(signal: Signal, listener: (signal: Signal) => void): unknown;
  off(signal: Signal, listener: (signal: Signal) => void): unknown;
}

/** All that a command knows of the process it runs in, so that specs can run it in theirs. */
export interface Environment {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly stdin: AsyncIterable<Uint8Array> & { destroy(): unknown };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signals: Signals;
  readonly now: () => Date;
}
