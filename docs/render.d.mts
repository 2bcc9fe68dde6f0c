export interface Machine {
  readonly transitions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly meanings: {
    readonly states: Readonly<Record<string, string>>;
    readonly events: Readonly<Record<string, string>>;
  };
}

export interface ErrorRow {
  readonly side: 'local' | 'peer';
  readonly clause: string | null;
  readonly meaning: string;
  readonly disk: string;
  readonly wire: string;
}

export interface CaseRow {
  readonly id: string;
  readonly role: 'server' | 'client';
  readonly title: string;
  readonly clause: string;
  readonly level: string;
  readonly profiles: readonly string[];
  readonly needs: string;
  readonly quick?: boolean;
}

export interface Conformance {
  /** The text of docs/conformance.md as it stands. */
  readonly page: string;
  readonly cases: readonly CaseRow[];
}

export interface Tables {
  readonly receive: Machine;
  readonly send: Machine;
  readonly errors: Readonly<Record<string, ErrorRow>>;
  readonly conformance: Conformance;
}

export interface Page {
  readonly file: string;
  readonly text: string;
}

export function renderPages(tables: Tables): Page[];
export function renderStates(machines: Pick<Tables, 'receive' | 'send'>): string;
export function renderErrors(errors: Tables['errors']): string;
export function renderConformance(conformance: Conformance): string;
