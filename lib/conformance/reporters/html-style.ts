/** The style sheet of the HTML report: no script, no font, no image, nothing from elsewhere; light, dark and print. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2024; --soft: #5b6168; --line: #d5d9de; --panel: #f5f6f8;
  --pass: #17703a; --fail: #b3211b; --warn: #8a5a00; --open: #5a4a9c; --bytes: #0b5394;
  --pass-bg: #e3f4e8; --fail-bg: #fde8e6; --warn-bg: #fdf1d8; --open-bg: #ece9f8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --ink: #e6e8ea; --soft: #a3aab2; --line: #3a4047; --panel: #1e2226;
    --pass: #7ddb9a; --fail: #ff9a91; --warn: #f0c060; --open: #bdb0f5; --bytes: #8ec4f5;
    --pass-bg: #17331f; --fail-bg: #43191a; --warn-bg: #3a2c0d; --open-bg: #2a2545;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.1rem; margin: 0; }
h4 { font-size: .95rem; margin: 1.25rem 0 .35rem; }
p { margin: .4rem 0; }
a { color: var(--bytes); }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
code { overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.banner { margin: 1rem 0; padding: .9rem 1.1rem; border-left: .5rem solid; border-radius: .3rem; font-size: 1.1rem; }
.banner strong { display: block; font-size: 1.35rem; }
.is-pass { background: var(--pass-bg); border-color: var(--pass); }
.is-fail { background: var(--fail-bg); border-color: var(--fail); }
.is-warn { background: var(--warn-bg); border-color: var(--warn); }
.is-open { background: var(--open-bg); border-color: var(--open); }
.counts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; padding: 0; list-style: none; }
.counts li { flex: 1 1 7rem; padding: .5rem .8rem; border-top-width: .25rem; border-top-style: solid; border-radius: .3rem; }
.counts b { display: block; font-size: 1.6rem; line-height: 1.2; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.case { margin: 1.25rem 0; padding: 1rem 1.1rem; border: 1px solid var(--line); border-left: .5rem solid; border-radius: .3rem; }
.case.fail { border-left-color: var(--fail); }
.case.warn { border-left-color: var(--warn); }
.case.open { border-left-color: var(--open); }
.case.pass { border-left-color: var(--pass); }
.badge { display: inline-block; margin-right: .5rem; padding: .05rem .55rem; border: 1px solid; border-radius: .8rem; font-size: .8rem;
  font-weight: 600; white-space: nowrap; }
.badge.pass, .yes { color: var(--pass); }
.badge.fail, .no { color: var(--fail); }
.badge.warn { color: var(--warn); }
.badge.open, .unseen { color: var(--open); }
blockquote { margin: .8rem 0; padding: .5rem .9rem; border-left: .25rem solid var(--line); background: var(--panel); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; }
thead th { color: var(--soft); font-size: .85rem; }
td.broken { background: var(--fail-bg); padding-left: .5rem; }
.log { font-size: .85rem; }
.log td.at { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.log td.hex { width: 26rem; min-width: 15rem; color: var(--bytes); }
.log td.text { min-width: 10rem; overflow-wrap: anywhere; }
.log tr.theirs td { background: var(--panel); }
.what, .yes, .no, .unseen { white-space: nowrap; }
.again { display: block; padding: .6rem .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: .3rem;
  white-space: pre; overflow-x: auto; user-select: all; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .3rem 0; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--bytes); outline-offset: 2px; }
.brief summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: .5rem; border-bottom: 1px solid var(--line); }
.brief .case { margin: .5rem 0 1rem; }
@media print {
  :root { --page: #fff; --ink: #000; --soft: #444; --line: #bbb; --panel: #f5f5f5; --pass: #17703a; --fail: #b3211b;
    --warn: #8a5a00; --open: #5a4a9c; --bytes: #0b5394; --pass-bg: #fff; --fail-bg: #fff; --warn-bg: #fff; --open-bg: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3, h4, caption { break-after: avoid; }
  tr, blockquote, .banner { break-inside: avoid; }
  .scroll { overflow: visible; }
  .again { white-space: pre-wrap; }
}
`;
