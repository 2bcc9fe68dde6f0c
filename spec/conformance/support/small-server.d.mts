import type { Server } from 'node:net';

export interface Policy {
  readonly prefix?: string;
  readonly suffix?: string;
  readonly paths?: 'last component' | 'refused' | 'other';
  readonly conflict?: 'numbered' | 'replaced' | 'refused' | 'other';
  readonly closes?: 'after the sender';
  readonly serial?: true;
  readonly deaf?: number;
  readonly breaks?: number;
  readonly stumbles?: number;
  readonly refuses?: string;
  readonly forgets?: string;
  readonly frail?: true;
  readonly late?: number;
  readonly stubborn?: string;
  readonly worker?: true;
}

export function smallServer(dir: string, policy: Policy): Server;
