"""The style sheets of the reports: inline, printable, system fonts."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f6; color: #1d2329;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.banner { position: sticky; top: 0; z-index: 1; background: #4a2600; color: #ffc27a;
  border-left: 8px solid #ffa73c; padding: 10px 24px; font-weight: 600; }
.banner p { margin: 2px 0; }
main { max-width: 1020px; margin: 0 auto; padding: 24px 28px 48px; background: #fff; }
h1 { font-size: 28px; margin: 8px 0 0; letter-spacing: .01em; }
h2 { font-size: 19px; margin: 34px 0 10px; padding-bottom: 4px; border-bottom: 1px solid #d9dde1; }
.lead { margin: 4px 0 18px; color: #48525c; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; background: #000; border-radius: 4px; }
figcaption, .note, caption, .quiet { color: #56616b; }
figcaption, .note { font-size: 14px; margin-top: 8px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
caption { text-align: left; padding: 4px 0 8px; font-size: 14px; }
th, td { text-align: left; padding: 3px 14px 3px 0; vertical-align: top; font-weight: 400; }
thead th { font-size: 13px; color: #56616b; border-bottom: 1px solid #9aa4ad; }
tbody th { font-weight: 600; }
tr.first > * { border-top: 1px solid #e5e8eb; padding-top: 6px; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.disc { width: 14px; height: 14px; }
dl { display: grid; grid-template-columns: minmax(150px, 260px) 1fr; gap: 3px 18px; margin: 0; }
dt { color: #56616b; }
dd { margin: 0; overflow-wrap: anywhere; }
.mono dd { font-family: ui-monospace, Consolas, "Liberation Mono", monospace; font-size: 13px; }
details { margin-top: 18px; border-top: 1px solid #d9dde1; padding-top: 12px; }
summary { cursor: pointer; font-weight: 600; margin-bottom: 8px; }
pre.copy { white-space: pre-wrap; background: #f4f5f6; border: 1px solid #d9dde1;
  border-radius: 4px; padding: 14px 16px; font-size: 14px; user-select: all; }
footer { margin-top: 36px; padding-top: 12px; border-top: 1px solid #d9dde1; color: #7a3e00; }
footer p { margin: 2px 0; }
@media print {
  body, main { background: #fff; }
  .banner { position: static; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  tr, li { break-inside: avoid; }
}
"""
"""For every report of the library."""

REPORT_STYLE = """
:root { --paper: #fff; --desk: #f4f5f6; --ink: #1d2329; --quiet: #56616b; --line: #d9dde1;
  --strong: #9aa4ad; --warn: #7a3e00; --band: #cfe3d6; --interval: #7fa3c9; --value: #0c3f78;
  --mean: #b5530b; --cutoff: #9c1f6e; --shade: rgb(0 0 0 / .22); }
body { background: var(--desk); color: var(--ink); }
.banner { position: static; }
.ribbon { position: sticky; top: 0; z-index: 1; padding: 3px 24px; font-size: 13px;
  background: #4a2600; color: #ffc27a; border-left: 8px solid #ffa73c; }
main { max-width: 1120px; background: var(--paper); }
h2 { border-color: var(--line); }
h3 { font-size: 16px; margin: 16px 0 6px; }
.lead, figcaption, .note, caption, .quiet, dt, thead th, .legend { color: var(--quiet); }
.scrolls { overflow-x: auto; }
.wide { background: linear-gradient(90deg, var(--paper) 30%, transparent) left / 40px 100% local,
  linear-gradient(270deg, var(--paper) 30%, transparent) right / 40px 100% local,
  linear-gradient(90deg, var(--shade), transparent) left / 14px 100% scroll,
  linear-gradient(270deg, var(--shade), transparent) right / 14px 100% scroll;
  background-repeat: no-repeat; }
thead th { border-color: var(--strong); }
tr.first > * { border-color: var(--line); }
.light { white-space: nowrap; }
.light b { margin-left: 8px; }
.disc { vertical-align: -2px; }
.wide td.quiet { font-size: 14px; }
.wide:focus-visible, summary:focus-visible, button:focus-visible { outline: 2px solid #2f6fb4; }
details, footer { border-color: var(--line); }
pre.copy { background: var(--desk); border-color: var(--line); font-family: inherit;
  user-select: text; overflow-wrap: anywhere; }
button { font: inherit; font-size: 14px; padding: 6px 14px; border-radius: 4px; cursor: pointer;
  border: 1px solid var(--strong); background: var(--desk); color: var(--ink); }
.stop { border: 2px solid #b3261e; border-radius: 4px; padding: 10px 16px; margin: 0;
  font-weight: 600; }
footer { color: var(--warn); }
.bars { margin: 6px 0 4px; }
.bar { display: grid; grid-template-columns: 215px 1fr 250px; gap: 0 14px; align-items: center;
  min-height: 30px; }
.bar .name { font-weight: 600; }
.bar .said { font-variant-numeric: tabular-nums; font-size: 15px; line-height: 1.25; }
.bar svg { width: 100%; height: 28px; display: block; background: var(--desk); }
.axis { min-height: 22px; font-size: 12px; color: var(--quiet); }
.axis .said { font-size: 12px; }
.scale { position: relative; height: 16px; }
.scale i { position: absolute; transform: translateX(-50%); font-style: normal; }
svg line { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; }
.normal { fill: var(--band); }
.interval { fill: var(--interval); }
.spread { fill: none; stroke: var(--strong); stroke-width: 1.5; stroke-dasharray: 4 3;
  vector-effect: non-scaling-stroke; }
.value { stroke: var(--value); stroke-width: 4; }
.mean { stroke: var(--mean); stroke-width: 2; }
.cutoff { stroke: var(--cutoff); stroke-width: 2; stroke-dasharray: 3 2; }
.legend { font-size: 13px; margin: 4px 0; }
.legend span { display: inline-block; margin-right: 18px; }
.legend svg { width: 18px; height: 18px; vertical-align: -4px; margin-right: 5px; }
@media (max-width: 640px) {
  main { padding: 14px 14px 36px; }
  h1 { font-size: 23px; }
  .banner, .ribbon { padding-left: 12px; padding-right: 12px; }
  .bar { grid-template-columns: 1fr auto; padding: 4px 0; }
  .bar svg, .bar .scale { grid-column: 1 / -1; grid-row: 2; }
  .bar .said { text-align: right; }
  .scrolls img { width: 1180px; max-width: none; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
  table { font-size: 14px; min-width: 600px; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #15181b; --desk: #1e2327; --ink: #e7eaed;
    --quiet: #a3adb6; --line: #343b41; --strong: #6b7680; --warn: #ffc27a; --band: #28493a;
    --interval: #3d658f; --value: #9fd0ff; --mean: #ffa45c; --cutoff: #f08cc8;
    --shade: rgb(255 255 255 / .25); }
}
@media print {
  @page { margin: 14mm 12mm; }
  body { font-size: 11pt; }
  .ribbon { position: static; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .disc, .bar svg, .legend svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; background: #fff; }
  figure, .bar, .stop, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  button { display: none; }
  .wide, .scrolls { overflow: visible; }
}
"""
"""For the report of one PET, beside `STYLE`: bars, dark screens, telephones."""
