import type { ServerCase, Profile } from './model/case.js';
import type { Declared } from './model/capabilities.js';
import type { RecorderOptions } from './report/recorder.js';

/** What is judged, and how; the same for both roles. */
export interface ConformOptions extends RecorderOptions {
  /** By default `full`. */
  readonly profile?: Profile;
  /** Ids or globs (`server/name/*`) of the cases to run; by default all. */
  readonly only?: readonly string[];
  /** Ids or globs of cases to leave out. */
  readonly skip?: readonly string[];
  /** Only the cases that together tell most in three seconds. By default false. */
  readonly quick?: boolean;
  /** 0 to 2^32 - 1; by default a random one. The report has it. */
  readonly seed?: number;
  /** What the user says of the target; overrides what is probed. */
  readonly declared?: Declared;
  /** How many cases run at a time; by default 12. */
  readonly width?: number;
  /** The longest wait in ms for something that must come; by default calibrated. For targets that are known to fail. */
  readonly patience?: number;
  /** Run again by itself what failed beside other cases; by default true. */
  readonly confirm?: boolean;
}

/** How a server is found and judged. */
export interface ConformServerOptions extends ConformOptions {
  /** By default 127.0.0.1. */
  readonly host?: string;
  /** By default 12000, or with `exec` and `{port}` a free one. */
  readonly port?: number;
  /** `CMD {port} {dir}`, split like a shell would, run without one. */
  readonly exec?: string;
  /** Where `exec` runs; the server stores there unless `{dir}` or `dir` says otherwise. */
  readonly cwd?: string;
  /** Where the server stores. With `exec` and `{dir}` a new directory by default. */
  readonly dir?: string;
  /** What the server adds to names; by default it is found out. */
  readonly suffix?: string;
  /** How often a target that went down is started again, until the suite gives it up; by default 400. */
  readonly restarts?: number;
  /** Other cases than the suite's own; for the suite's specs. */
  readonly cases?: readonly ServerCase[];
}
