import { setMaxListeners } from 'node:events';
import type { Synchronous } from '../disk/call-policy.js';
import { toGoAheadError, type GoAheadError } from '../errors.js';
import { requireNumber } from '../session/options.js';
import { FileOpener } from '../sources/file-opener.js';
import { sendBy, type Receipt, type Sendable, type SendOptions } from './client.js';

/** One of several files; a bare {@link Sendable} stands for `{ file }`. */
export interface FileToSend {
  /** A path, bytes, or a stream. */
  readonly file: Sendable;
  /** As in `SendOptions`. */
  readonly name?: string | undefined;
  /** As in `SendOptions`: in bytes, for a stream only. */
  readonly size?: bigint | undefined;
}

/** What happens to a file, by its `index` in the list: progress in bytes, another attempt, and at last its result. */
export type SendEvent =
  | { readonly kind: 'progress'; readonly index: number; readonly sent: bigint; readonly size: bigint }
  | { readonly kind: 'retrying'; readonly index: number; readonly error: GoAheadError; readonly attempt: number }
  | ({ readonly index: number } & SendResult);

/** What became of a file. */
export type SendResult =
  { readonly kind: 'confirmed'; readonly receipt: Receipt } | { readonly kind: 'failed'; readonly error: GoAheadError };

/** As for `send`, without what differs from file to file. */
export interface SendAllOptions extends Omit<SendOptions, 'name' | 'size' | 'onProgress' | 'onRetry'> {
  /** Transfers at the same time, at least 1. Default 4. */
  readonly concurrency?: number | undefined;
  /**
   * `adaptive` (the default) makes the system calls for files of up to 64 KiB on the event loop's thread, while they are on
   * a local filesystem that has answered at once in this job; links are followed in the thread pool only. `never` makes all
   * calls in the thread pool: for paths that lead through a filesystem that may not answer.
   */
  readonly synchronous?: Synchronous | undefined;
  /** What happens to which file, by its index in the list. */
  readonly onEvent?: ((event: SendEvent) => void) | undefined;
}

/** Sends several files, each on a connection of its own. Never rejects: the results are in the order of the files. */
export async function sendAll(
  files: readonly (Sendable | FileToSend)[],
  { concurrency = 4, synchronous = 'adaptive', onEvent, signal, ...options }: SendAllOptions = {},
): Promise<SendResult[]> {
  // All files listen to one signal, and more than ten listeners are a leak to Node: not so on a signal of ours.
  const shared = signal && AbortSignal.any([signal]);
  if (shared !== undefined) setMaxListeners(0, shared);
  // To look at the directory of a single file would only take time.
  const opener = new FileOpener(files.length === 1 && synchronous === 'adaptive' ? 'never' : synchronous);
  const results = new Array<SendResult>(files.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const result = await sendOne(
        opener,
        files[index] as Sendable | FileToSend,
        index,
        { ...options, concurrency, signal: shared },
        onEvent,
      );
      results[index] = result;
      // The result stands; a listener that throws must not keep the other files from being sent.
      try {
        onEvent?.({ index, ...result });
      } catch (cause) {
        process.emitWarning(toGoAheadError(cause, 'INTERNAL', 'the callback onEvent failed'));
      }
    }
  };
  // What is wrong with it is told of each file, and that takes a worker. NaN is not at least 1 either.
  const workers = concurrency >= 1 ? Math.min(concurrency, files.length) : Math.min(1, files.length);
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

async function sendOne(
  opener: FileOpener,
  item: Sendable | FileToSend,
  index: number,
  options: SendOptions & { readonly concurrency: number },
  onEvent: SendAllOptions['onEvent'],
): Promise<SendResult> {
  try {
    requireNumber('concurrency', options.concurrency, 1, Infinity);
    const { file, ...named } = isFileToSend(item) ? item : { file: item };
    const receipt = await sendBy((path, chunkSize) => opener.open(path, chunkSize), file, {
      ...options,
      ...named,
      onProgress: (sent, size) => onEvent?.({ kind: 'progress', index, sent, size }),
      onRetry: (error, attempt) => onEvent?.({ kind: 'retrying', index, error, attempt }),
    });
    return { kind: 'confirmed', receipt };
  } catch (reason) {
    return { kind: 'failed', error: toGoAheadError(reason, 'INTERNAL', 'the client failed') };
  }
}

/** Callers without types may pass anything. */
function isFileToSend(item: unknown): item is FileToSend {
  return typeof item === 'object' && item !== null && 'file' in item;
}
