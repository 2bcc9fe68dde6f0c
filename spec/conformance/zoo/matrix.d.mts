import type { Case, ClientCase, Profile, Role, ServerCase } from '../../../lib/conformance/model/case.js';
import type { Declared } from '../../../lib/conformance/model/capabilities.js';
import type { Report } from '../../../lib/conformance/report/report.js';

export interface Defect {
  readonly what: string;
  readonly breaks: readonly string[];
  readonly cases?: readonly string[];
  readonly related?: readonly string[];
}

export type PeerName = 'server' | 'client' | 'student-server' | 'student-client';

export interface Row {
  readonly peer: PeerName;
  readonly defect: string;
  readonly plain: boolean;
  readonly kills: readonly string[];
}

export interface Matrix {
  readonly cases: readonly string[];
  readonly rows: readonly Row[];
}

export const PEERS: Readonly<
  Record<
    PeerName,
    {
      readonly role: Role;
      readonly profile: Profile;
      readonly defects: Readonly<Record<string, Defect>>;
      readonly exec: string;
    }
  >
>;

export function optionsFor(
  peer: PeerName,
  defect?: string,
): { exec: string; profile: Profile; declared: Declared; seed: number; confirm: boolean };
export function casesFor(peer: PeerName, defect: string, cases: readonly ServerCase[], all?: boolean): ServerCase[];
export function casesFor(peer: PeerName, defect: string, cases: readonly ClientCase[], all?: boolean): ClientCase[];
export function related(defect: Defect, one: Pick<Case, 'id' | 'clause'>): boolean;
export function killsOf(report: Report): { plain: boolean; kills: string[] };
export function parseMatrix(text: string): Matrix;
export function formatMatrix(matrix: Matrix): string;
export function faultsOf(matrix: Matrix, cases: readonly Case[]): string[];
export function scoreOf(matrix: Matrix): { defects: number; killed: number; cases: number; casesThatKill: number };
