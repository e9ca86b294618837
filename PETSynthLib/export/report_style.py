"""The report's style sheet: inline, printable, system fonts."""

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
.lights { list-style: none; padding: 0; margin: 0; }
.lights li { display: grid; grid-template-columns: 22px 82px 1fr; padding: 3px 0; }
.disc { width: 14px; height: 14px; margin-top: 5px; }
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
