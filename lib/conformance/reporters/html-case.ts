/** One case on the HTML page. Everything that a target or a user chose goes through `esc`. */
import { plural } from '../../plural.js';
import type { Role } from '../model/case.js';
import type { Axis, Evidence, Result, Verdict } from '../report/report.js';
import type { WireEntry } from '../exchange/wire.js';
import { WHY } from '../model/why.js';
import { remembered } from './document-reporter.js';
import { AXES, byteCount, diskChanges, shown, shownLines } from './text.js';

export type Look = 'pass' | 'fail' | 'warn' | 'open';

export const LOOK: Readonly<Record<Verdict, Look>> = {
  pass: 'pass',
  fail: 'fail',
  warn: 'warn',
  untestable: 'open',
  'not applicable': 'open',
  inconclusive: 'fail',
  'suite fault': 'fail',
};

/** More connections, or lines of one, than this are in the JSON report only; of a pass fewer are worth the room. */
const CONNECTIONS = 12;
const LINES = 80;
const OF_A_PASS = { connections: 3, lines: 20 } as const;

export function esc(text: string): string {
  return shown(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function anchor(id: string): string {
  return `case-${id.replace(/[^\w-]/g, '-')}`;
}

export function badge(result: Result): string {
  return `<span class="badge ${LOOK[result.verdict]}">${result.verdict}</span>`;
}

function axisRow({ axis, ok, expected, actual }: Axis): string {
  const [look, sign, word] =
    ok === null ? ['unseen', '?', 'not seen'] : ok ? ['yes', '✓', 'as expected'] : ['no', '✗', 'not as expected'];
  return (
    `<tr><th scope="row">${AXES[axis]}</th><td class="${look}"><span aria-hidden="true">${sign}</span> ${word}</td>` +
    `<td>${esc(expected)}</td><td${ok === false ? ' class="broken"' : ''}>${esc(actual)}</td></tr>\n`
  );
}

function axes(all: readonly Axis[]): string {
  if (all.length === 0) return '';
  return (
    '<h4>Expected and actual</h4>\n<div class="scroll"><table><thead><tr><th scope="col">What was looked at</th>' +
    '<th scope="col"></th><th scope="col">Expected</th><th scope="col">Actual</th></tr></thead><tbody>\n' +
    `${all.map(axisRow).join('')}</tbody></table></div>\n`
  );
}

const OURS: readonly WireEntry['event'][] = ['sent', 'sent FIN', 'sent RST', 'closed'];
const THEIRS: readonly WireEntry['event'][] = ['received', 'received FIN', 'received RST', 'refused'];

/** Who did it, seen by a reader who thinks of the target. */
function direction(event: WireEntry['event'], role: string): string {
  if (OURS.includes(event)) return `suite → ${role}`;
  return THEIRS.includes(event) ? `${role} → suite` : '';
}

const WHAT: Partial<Readonly<Record<WireEntry['event'], string>>> = {
  'sent FIN': 'FIN',
  'sent RST': 'RST',
  'received FIN': 'FIN',
  'received RST': 'RST',
  closed: 'closes',
};

function logRow(entry: WireEntry, role: string): string {
  const { at, event, note = '' } = entry;
  const [what, bytes] =
    'hex' in entry
      ? [
          byteCount(entry.length),
          `<td class="hex mono">${esc(entry.hex)}</td><td class="text mono">${esc(entry.text)}</td>`,
        ]
      : [WHAT[event] ?? event, `<td colspan="2">${esc(note)}</td>`];
  return (
    `<tr${THEIRS.includes(event) ? ' class="theirs"' : ''}><td class="at">${at.toFixed(1)} ms</td>` +
    `<td class="what">${direction(event, role)}</td><td class="what">${esc(what)}</td>${bytes}</tr>\n`
  );
}

function exchange({ evidence: { connections }, verdict }: Result, role: Role): string {
  const most = verdict === 'pass' ? OF_A_PASS : { connections: CONNECTIONS, lines: LINES };
  if (connections.length === 0) return '<h4>The exchange</h4>\n<p class="soft">No connection was made.</p>\n';
  const tables = connections.slice(0, most.connections).map(({ label, log }) => {
    const rows = log.slice(0, most.lines).map((entry) => logRow(entry, role));
    const more =
      log.length > most.lines
        ? `<p class="soft">${plural(log.length - most.lines, 'further line')} in the JSON report.</p>\n`
        : '';
    return (
      `<div class="scroll"><table class="log"><caption>${esc(label)}${label.startsWith('twin') ? ': the same without the fault' : ''}</caption><thead><tr><th scope="col">Time</th>` +
      '<th scope="col">Direction</th><th scope="col">What</th><th scope="col">Bytes (hexadecimal)</th>' +
      `<th scope="col">As text</th></tr></thead><tbody>\n${rows.join('')}</tbody></table></div>\n${more}`
    );
  });
  const more = connections.length - most.connections;
  const rest = more > 0 ? `<p class="soft">${plural(more, 'further connection')} in the JSON report.</p>\n` : '';
  return `<h4>The exchange</h4>\n${tables.join('')}${rest}`;
}

function disk({ disk: seen }: Evidence): string {
  if (seen === null) return '';
  const rows = diskChanges(seen.before, seen.after).map(({ change, entry }) => {
    const size = entry.kind === 'directory' ? '' : `${entry.size}`;
    const hash = entry.sha256 === undefined ? '' : `<code title="${entry.sha256}">${entry.sha256.slice(0, 16)}…</code>`;
    const target = entry.target === undefined ? '' : ` → <code>${esc(entry.target)}</code>`;
    return (
      `<tr><td>${{ gone: 'before only', new: 'after only', changed: 'changed', same: 'unchanged' }[change]}</td>` +
      `<td><code>${esc(entry.path)}</code>${target}</td><td>${entry.kind}</td><td>${size}</td><td>${hash}</td></tr>\n`
    );
  });
  if (rows.length === 0) return '<h4>On disk, before and after</h4>\n<p class="soft">Nothing, before and after.</p>\n';
  return (
    '<h4>On disk, before and after</h4>\n<div class="scroll"><table><thead><tr><th scope="col">When</th>' +
    '<th scope="col">Path</th><th scope="col">Kind</th><th scope="col">Bytes</th><th scope="col">SHA-256</th></tr></thead>' +
    `<tbody>\n${rows.join('')}</tbody></table></div>\n`
  );
}

function body(result: Result, role: Role): string {
  const { clause, level, sentence, reason, evidence, replay, needs, ms, known } = result;
  const lines = reason === '' ? [] : shownLines(reason);
  return [
    `<p class="soft"><code>${esc(result.id)}</code> · looks at: ${needs} · ${ms} ms</p>\n`,
    `<blockquote><p><strong>Clause ${clause}</strong> (${level.toUpperCase()}): ${esc(sentence)}</p>`,
    `<p class="soft">Why: ${esc(WHY[clause])}</p></blockquote>\n`,
    known === undefined ? '' : `<p>Known until ${esc(known.expires)}: ${esc(known.reason)}</p>\n`,
    result.axes.length > 0 ? '' : `<p>${lines.map(esc).join('<br>')}</p>\n`,
    axes(result.axes),
    exchange(result, role),
    disk(evidence),
    evidence.process === undefined ? '' : `<h4>The process</h4>\n<p>It ${esc(evidence.process)}.</p>\n`,
    `<h4>Run it again</h4>\n<code class="again">${esc(replay)}</code>\n`,
  ].join('');
}

/** One for each role, since the result itself does not say it. */
function cards(role: Role): (result: Result) => string {
  return remembered((result) => {
    const look = LOOK[result.verdict];
    return (
      `<article class="case ${look}" id="${anchor(result.id)}">\n` +
      `<h3>${badge(result)}${esc(result.title)}</h3>\n${body(result, role)}</article>\n`
    );
  });
}

function briefs(role: Role): (result: Result) => string {
  return remembered((result) => {
    const seen = result.evidence.connections.length > 0;
    const why = result.verdict === 'pass' ? '' : `<span class="soft">${esc(result.reason)}</span>`;
    const line = `${badge(result)}<span>${esc(result.title)}</span> <code class="soft">${esc(result.id)}</code> ${why}`;
    const inner = `<div class="case ${LOOK[result.verdict]}">${body(seen ? result : { ...result, axes: [] }, role)}</div>`;
    return `<details id="${anchor(result.id)}"><summary>${line}</summary>\n${inner}</details>\n`;
  });
}

export const CARD = { server: cards('server'), client: cards('client') } as const;
export const BRIEF = { server: briefs('server'), client: briefs('client') } as const;
