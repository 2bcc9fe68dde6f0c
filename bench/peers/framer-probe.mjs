/**
 * One measurement of the cell `framer` in a process of its own. usage: ours|hand CASE MILLISECONDS
 * Cases: `decode` (the header alone), `header-N` (a decoder from its making to the header event, fed N bytes at a
 * time), `body-N` (one push of N bytes of body).
 */
import { measure } from 'mitata';
import { decodeHeader as decodeByHand, HandDecoder } from './hand-decoder.mjs';
import { print } from './driver.mjs';

const [who, what = '', milliseconds] = process.argv.slice(2);
const [kind, length] = what.split('-');

const name = 'lecture-notes 2026 – Übung 7.pdf';
const header = Buffer.concat([Buffer.alloc(8), Buffer.from(name)]);
header.writeBigUInt64BE(2n ** 52n - 1n);

let seen = 0;
const onHeader = (/** @type {{ name: string }} */ header) => void (seen += header.name.length);
const onBody = (/** @type {Uint8Array} */ chunk) => void (seen += chunk.length);
const onEnd = () => void (seen += 1);

/** @returns {Promise<{ decode: (bytes: Buffer) => { name: string }, make: () => { push(chunk: Buffer): void, endHeader(): void } }>} */
async function contender() {
  if (who === 'hand') return { decode: decodeByHand, make: () => new HandDecoder(onHeader, onBody, onEnd) };
  const { Framer } = await import('../../dist/wire/framer.js');
  const { decodeHeader } = await import('../../dist/wire/decode-header.js');
  const make = () => new Framer().on('header', onHeader).on('body', onBody).on('end', onEnd);
  return { decode: decodeHeader, make };
}

const { decode, make } = await contender();

function subject() {
  switch (kind) {
    case 'decode':
      return () => void (seen += decode(header).name.length);
    case 'header': {
      const step = Number(length);
      const pieces = Array.from({ length: Math.ceil(header.length / step) }, (_, index) =>
        header.subarray(index * step, (index + 1) * step),
      );
      return () => {
        const decoder = make();
        for (const piece of pieces) decoder.push(piece);
        decoder.endHeader();
      };
    }
    case 'body': {
      const decoder = make();
      decoder.push(header);
      decoder.endHeader();
      const chunk = Buffer.alloc(Number(length));
      return () => decoder.push(chunk);
    }
    default:
      throw new Error(`no case '${what}'`);
  }
}

// At most 2 GB of samples would be pushed through a body of 2^52 bytes: the end is never reached, whatever the chunk.
const { p50 } = await measure(subject(), { min_cpu_time: Number(milliseconds) * 1e6 });
if (seen === 0) throw new Error('nothing was decoded');
print({ event: 'done', seconds: p50 / 1e9 });
