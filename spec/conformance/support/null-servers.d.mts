import type { Socket } from 'node:net';

type Behaviour = (socket: Socket) => void;

export const NULL_SERVERS: Readonly<Record<string, Behaviour>>;

export function listen(behaviour: Behaviour): Promise<{ port: number; close: () => void }>;
