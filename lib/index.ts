/** The public face of go-ahead: names only. */
export { ERROR_CODES, GoAheadError } from './errors.js';
export type { ErrorCode, ErrorDetails } from './errors.js';
export { printable } from './printable.js';

export { Framer } from './wire/framer.js';
export type { FramerEvents, HeaderProgress } from './wire/framer.js';
export { decodeHeader } from './wire/decode-header.js';
export { encodeHeader, MAX_HEADER_LENGTH, MAX_NAME_LENGTH, MAX_SIZE } from './wire/header.js';
export type { Header } from './wire/header.js';
export { REPLY, ReplyMatcher } from './wire/reply.js';
export type { ReplyMatch } from './wire/reply.js';

export { DirectoryStorage } from './storage/directory-storage.js';
export type { DirectoryStorageOptions, NamingOptions } from './storage/directory-storage.js';
export type { ConflictPolicy } from './storage/final-name.js';
export { MemoryStorage } from './storage/memory-storage.js';
export type { MemoryStorageOptions } from './storage/memory-storage.js';
export type { MaybePromise } from './maybe-promise.js';
export type { Storage, Stored, Upload } from './storage/storage.js';

export { FileSource } from './sources/file-source.js';
export { MemorySource } from './sources/memory-source.js';
export { StreamSource } from './sources/stream-source.js';
export type { Source } from './sources/source.js';

export type { Clock, Timer } from './session/clock.js';
export type { ReceiveOptions, SendSessionOptions } from './session/options.js';
export { ReceiveSession } from './session/receive-session.js';
export type { ReceiveEvents, ReceiveParts } from './session/receive-session.js';
export { SendSession } from './session/send-session.js';
export type { SendEvents, SendParts } from './session/send-session.js';
export { RECEIVE_TRANSITIONS, SEND_TRANSITIONS } from './session/states.js';
export type { ReceiveState, SendState } from './session/states.js';
export type { Transport } from './session/transport.js';

export { DEFAULT_PORT } from './net/address.js';
export type { ClientTlsOptions, ServerTlsOptions } from './net/secure-stream.js';
export { send } from './net/client.js';
export type { Receipt, Sendable, SendOptions } from './net/client.js';
export { sendAll } from './net/send-all.js';
export type { FileToSend, SendAllOptions, SendEvent, SendResult } from './net/send-all.js';
export { createServer } from './net/create-server.js';
export { Server } from './net/server.js';
export type { IncomingUpload, ServerEvents } from './net/server-events.js';
export type { ListenOptions, ServerOptions } from './net/server-options.js';
export { ClusterServer } from './net/workers/cluster-server.js';
export type { ClusterServerOptions } from './net/workers/cluster-server.js';
export { listenToEnd, readPlainly, SocketTransport } from './net/socket-transport.js';
export type { ConnectionListener } from './net/socket-transport.js';
export { systemClock } from './net/system-clock.js';

export type { Baseline, KnownFailure } from './conformance/report/baseline.js';
export type { Capabilities, Declared } from './conformance/model/capabilities.js';
export type { Profile, Role } from './conformance/model/case.js';
export type { ConformClientOptions } from './conformance/conform-client.js';
export type { ConformOptions, ConformServerOptions } from './conformance/options.js';
export { conformClient, conformServer } from './conformance/lazy.js';
export type {
  Axis,
  Evidence,
  ExitCode,
  Report,
  Reporter,
  Result,
  RunStart,
  Verdict,
} from './conformance/report/report.js';
