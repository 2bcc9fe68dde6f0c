/**
 * A capture file for Wireshark and tshark: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html.
 * Bytes and times are those of the exchange; the IPv4 and TCP headers around them are made up, and a comment in the file
 * says so. The suite is 10.0.0.1, the target 10.0.0.2.
 */
import type { Role } from '../model/case.js';
import { bytesOf, type TracedConnection } from './connection.js';

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

/** No link layer: packets begin with the IP header (https://www.tcpdump.org/linktypes.html). */
const LINKTYPE_RAW = 101;
/** Well below what the 16 bits of an IPv4 length hold. */
const MOST = 32_768;

const COMMENT =
  'Written by go-ahead conform --trace: bytes and times are as they were, the IP and TCP headers are made up.';

const SUITE = Buffer.from([10, 0, 0, 1]);
const TARGET = Buffer.from([10, 0, 0, 2]);

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function block(type: number, body: Buffer): Buffer {
  const length = body.length + 12;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, body, head.subarray(4)]);
}

function option(code: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(bytes.length, 2);
  return Buffer.concat([head, padded(bytes)]);
}

const END_OF_OPTIONS = Buffer.alloc(4);

function sectionHeader(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8);
  return block(0x0a0d0d0a, Buffer.concat([body, option(1, COMMENT), END_OF_OPTIONS]));
}

function interfaceDescription(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  return block(1, body);
}

function packetBlock(ms: number, packet: Buffer, comment: string): Buffer {
  const body = Buffer.alloc(20);
  // By default in microseconds since 1970.
  const time = BigInt(Math.round(ms * 1000));
  body.writeUInt32LE(Number(time >> 32n), 4);
  body.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
  body.writeUInt32LE(packet.length, 12);
  body.writeUInt32LE(packet.length, 16);
  const options = comment === '' ? [] : [option(1, comment), END_OF_OPTIONS];
  return block(6, Buffer.concat([body, padded(packet), ...options]));
}

/** RFC 1071. */
function checksum(...pieces: readonly Buffer[]): number {
  const bytes = padded(Buffer.concat([...pieces]));
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

interface Side {
  readonly address: Buffer;
  readonly port: number;
  sequence: number;
}

function tcpPacket(from: Side, to: Side, flags: number, payload: Buffer): Buffer {
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(40 + payload.length, 2);
  ip.writeUInt16BE(0x4000, 6);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(6, 9);
  from.address.copy(ip, 12);
  to.address.copy(ip, 16);
  ip.writeUInt16BE(checksum(ip), 10);

  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(from.sequence, 4);
  tcp.writeUInt32BE((flags & ACK) === 0 ? 0 : to.sequence, 8);
  tcp.writeUInt8(0x50, 12);
  tcp.writeUInt8(flags, 13);
  tcp.writeUInt16BE(0xffff, 14);
  const pseudo = Buffer.from([...from.address, ...to.address, 0, 6, 0, 0]);
  pseudo.writeUInt16BE(20 + payload.length, 10);
  tcp.writeUInt16BE(checksum(pseudo, tcp, payload), 16);

  const counts = (flags & (SYN | FIN)) === 0 ? 0 : 1;
  from.sequence = (from.sequence + payload.length + counts) >>> 0;
  return Buffer.concat([ip, tcp, payload]);
}

function* packetsOf(connection: TracedConnection, n: number, role: Role): Generator<Buffer> {
  const listening = 12_000;
  const calling = 50_000 + (n % 10_000);
  const isServer = role === 'server';
  const suite: Side = { address: SUITE, port: isServer ? calling : listening, sequence: 1000 };
  const target: Side = { address: TARGET, port: isServer ? listening : calling, sequence: 2000 };
  const [caller, callee] = isServer ? [suite, target] : [target, suite];
  for (const entry of connection.log) {
    const { time = 0, note = '' } = entry;
    const packet = (from: Side, to: Side, flags: number, payload: Buffer = Buffer.alloc(0), comment = note): Buffer =>
      packetBlock(time, tcpPacket(from, to, flags, payload), comment);
    switch (entry.event) {
      case 'connected':
        yield packet(caller, callee, SYN, undefined, connection.label);
        yield packet(callee, caller, SYN | ACK);
        yield packet(caller, callee, ACK);
        break;
      case 'refused':
        yield packet(caller, callee, SYN, undefined, connection.label);
        yield packet(callee, caller, RST | ACK);
        break;
      case 'sent':
      case 'received': {
        const [from, to] = entry.event === 'sent' ? [suite, target] : [target, suite];
        const bytes = bytesOf(entry);
        for (let at = 0; at < bytes.length; at += MOST) {
          yield packet(from, to, PSH | ACK, bytes.subarray(at, at + MOST));
        }
        break;
      }
      case 'sent FIN':
      case 'closed':
        yield packet(suite, target, FIN | ACK);
        break;
      case 'received FIN':
        yield packet(target, suite, FIN | ACK);
        break;
      case 'sent RST':
        yield packet(suite, target, RST | ACK);
        break;
      case 'received RST':
        yield packet(target, suite, RST | ACK);
        break;
      case 'time-out':
      case 'note':
        break;
    }
  }
}

export function pcapng(connections: readonly TracedConnection[], role: Role): Buffer {
  const packets = connections.flatMap((connection, n) => [...packetsOf(connection, n, role)]);
  return Buffer.concat([sectionHeader(), interfaceDescription(), ...packets]);
}
