"""How the chat looks and what it does in the browser: colours, CSS, JavaScript, icon.

Nothing here is fetched from anywhere: the fonts are those of the reader's machine.
"""

from __future__ import annotations

import re

LIGHT = {
    "paper": "#f6f1e6",
    "sheet": "#fffcf5",
    "ink": "#1d1a16",
    "soft": "#5f564a",
    "line": "#d8cdb9",
    "accent": "#8f1d14",
    "on-accent": "#fffaf3",
    "mark": "#fae3a0",
    "on-mark": "#1d1a16",
    "tint": "#efe7d6",
}
DARK = {
    "paper": "#171512",
    "sheet": "#201d19",
    "ink": "#ece5d8",
    "soft": "#b3a897",
    "line": "#3d372e",
    "accent": "#f0957f",
    "on-accent": "#1f120e",
    "mark": "#4b3c0d",
    "on-mark": "#fff1c4",
    "tint": "#2a2620",
}

SERIF = (
    '"Iowan Old Style", Charter, "Source Serif 4", "Noto Serif", Georgia, "Times New Roman", serif'
)
SANS = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="6" fill="#8f1d14"/>
<path d="M8 9h16v3.2h-6.2V24h-3.6V12.2H8z" fill="#fffaf3"/>
<path d="M8 26.4h16" stroke="#fae3a0" stroke-width="1.6"/></svg>
"""


def _variables(palette: dict[str, str]) -> str:
    return "".join(f"--ta-{name}: {value};" for name, value in palette.items())


def _on_page(css: str) -> str:
    """Put #ta-page before our classes, so that they outweigh Gradio's own rules."""
    return re.sub(r"(?m)(^\s*|, )\.ta-", r"\1#ta-page .ta-", css)


_FRAME = """
html { scroll-padding: 0 0 220px; }
html:has(dialog[open]) { overflow: hidden; }
body, gradio-app { background: var(--ta-paper) !important; color: var(--ta-ink); }
.gradio-container { background: var(--ta-paper) !important; color: var(--ta-ink) !important;
  font-family: var(--ta-sans) !important; max-width: none !important;
  overflow: visible !important; }
.gradio-container .main.app { max-width: 1220px !important; margin: 0 auto; width: 100%;
  padding: 0 32px !important; box-sizing: border-box; }
#ta-page .html-container { padding: 0 !important; }
.gradio-container .wrap.translucent, .gradio-container .eta-bar { display: none !important; }
.gradio-container footer { display: none !important; }
#ta-page { gap: 0 !important; min-height: 100vh; min-height: 100dvh; }
#ta-page > * { flex-grow: 0; }
#ta-page:not(:has(h1)) { visibility: hidden; }
.ta-only-heard { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; margin: 0; }
#ta-page :focus-visible, #ta-reader :focus-visible { outline: 2px solid var(--ta-accent);
  outline-offset: 2px; }
#ta-page button, #ta-reader button { font-family: var(--ta-sans); }

#ta-masthead { display: flex; flex-wrap: nowrap; align-items: flex-end; gap: 16px;
  padding: 22px 0 10px; border-bottom: 3px double var(--ta-ink); }
#ta-masthead > * { min-width: 0 !important; }
#ta-name { flex: 1 1 auto; }
#ta-name h1 { font: 700 34px/1.1 var(--ta-serif); letter-spacing: -.01em; margin: 0;
  color: var(--ta-ink); }
#ta-name p { margin: 4px 0 0; color: var(--ta-soft); font-size: 14px; line-height: 1.45; }
#ta-restart { flex: 0 0 auto; width: auto; }
#ta-freshness { border-radius: 0; border-bottom: 1px solid var(--ta-line); }
#ta-page .ta-freshness { margin: 0; padding: 8px 0; font-size: 13px; line-height: 1.5;
  color: var(--ta-soft); font-variant-numeric: tabular-nums; }
#ta-page .ta-freshness .waiting { color: var(--ta-accent); font-weight: 600; }
#ta-page .ta-freshness .waiting::before { content: "●"; font-size: 9px; margin-right: 6px;
  vertical-align: 1.5px; }
#ta-page code, #ta-reader code { font: 12.5px/1.4 ui-monospace, "Noto Sans Mono", "Liberation Mono",
  monospace; background: var(--ta-tint); color: var(--ta-ink); padding: 1px 6px;
  border-radius: 4px; }
"""

_BUTTONS = """
.ta-quiet, #ta-restart { background: transparent !important; box-shadow: none !important;
  border: 1px solid var(--ta-line) !important; color: var(--ta-ink) !important;
  border-radius: 6px !important; font: 500 14px/1.3 var(--ta-sans) !important;
  padding: 8px 14px !important; min-height: 38px; cursor: pointer; white-space: nowrap; }
.ta-quiet:hover, #ta-restart:hover { border-color: var(--ta-ink) !important;
  background: var(--ta-tint) !important; }
.ta-solid, #ta-send { background: var(--ta-accent) !important;
  color: var(--ta-on-accent) !important;
  border: 1px solid var(--ta-accent) !important; box-shadow: none !important;
  border-radius: 6px !important; font: 600 15px/1.2 var(--ta-sans) !important;
  padding: 8px 18px !important; cursor: pointer; white-space: nowrap; }
.ta-solid { min-height: 40px; }
.ta-solid:hover, #ta-send:hover { filter: brightness(1.12); }
#ta-send:disabled { opacity: .55; cursor: progress; }
#ta-page .ta-link, #ta-reader .ta-link {
  background: none; border: 0; padding: 0; font: inherit; color: var(--ta-accent);
  text-decoration: underline; text-underline-offset: 3px; text-decoration-thickness: 1px;
  cursor: pointer; overflow-wrap: anywhere; text-align: left; }
#ta-page .ta-link:hover, #ta-reader .ta-link:hover { text-decoration-thickness: 2px; }
"""

_TURNS = """
.ta-turn { display: grid; grid-template-columns: minmax(0, 1fr) minmax(320px, 400px);
  gap: 16px 52px; padding: 30px 0 36px; align-items: start; }
#ta-history .ta-turn { border-bottom: 1px solid var(--ta-line); }
.ta-question { font: 700 26px/1.28 var(--ta-serif); margin: 0 0 6px; color: var(--ta-ink);
  letter-spacing: -.005em; overflow-wrap: anywhere; text-wrap: pretty; white-space: pre-line; }
.ta-question.long { font-size: 17px; max-height: 9.5em; overflow-y: auto; }
.ta-aside { margin: 0 0 6px; font-size: 14px; line-height: 1.5; color: var(--ta-soft);
  overflow-wrap: anywhere; }
.ta-aside q { color: var(--ta-ink); font-style: italic; quotes: "“" "”"; }
.ta-edit { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin: 8px 0 12px;
  padding: 14px; background: var(--ta-tint); border-radius: 8px; }
.ta-edit[hidden] { display: none; }
.ta-edit label { flex: 1 1 100%; font-size: 13px; color: var(--ta-soft); }
.ta-edit .ends { flex: 1 1 100%; display: flex; flex-wrap: wrap; gap: 10px; }
.ta-edit .ends[hidden] { display: none; }
.ta-edit .end { flex: 1 1 160px; min-width: 0; display: flex; flex-direction: column; gap: 4px; }
.ta-edit .end label { flex: none; }
.ta-edit .end input[type=text] { flex: none; width: 100%; box-sizing: border-box; }
.ta-chips { display: inline-flex; flex-wrap: wrap; gap: 6px 8px; vertical-align: middle;
  margin: 2px 6px 2px 0; max-width: 100%; }
.ta-chip { display: inline-flex; align-items: center; max-width: 100%; box-sizing: border-box;
  font: 500 13.5px/1.35 var(--ta-sans); color: var(--ta-ink); background: var(--ta-tint);
  border: 1px solid var(--ta-line); border-radius: 999px; padding: 2px 2px 2px 12px; }
.ta-chip button { flex: none; width: 26px; height: 26px; margin-left: 4px; border: 0; padding: 0;
  border-radius: 50%; background: none; color: var(--ta-soft); font: 400 18px/1 var(--ta-sans);
  cursor: pointer; }
.ta-chip button:hover { background: var(--ta-accent); color: var(--ta-on-accent); }
.ta-offer { font: 500 13.5px/1.35 var(--ta-sans); color: var(--ta-ink); background: none;
  border: 1px dashed var(--ta-soft); border-radius: 999px; padding: 5px 12px; cursor: pointer; }
.ta-offer:hover { background: var(--ta-tint); border-style: solid; }
.ta-edit input[type=text] { flex: 1 1 240px; min-width: 0; font: 16px/1.4 var(--ta-sans);
  padding: 8px 10px; border: 1px solid var(--ta-soft); border-radius: 6px;
  background: var(--ta-sheet); color: var(--ta-ink); }
.ta-answer { margin: 16px 0 0; }
.ta-answer p { font: 400 18px/1.62 var(--ta-serif); color: var(--ta-ink); margin: 0 0 .75em;
  overflow-wrap: anywhere; text-wrap: pretty; }
.ta-answer strong { font-weight: 700; background: var(--ta-tint); border-radius: 3px;
  padding: 0 2px; }
.ta-when { display: block; font: 600 13px/1.5 var(--ta-sans); color: var(--ta-soft); }
.ta-cite { font: 600 13px/1 var(--ta-sans); color: var(--ta-accent) !important;
  text-decoration: none; padding: 3px 3px; margin-left: 1px; border-radius: 4px;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
.ta-cite:hover, .ta-cite.on { background: var(--ta-accent); color: var(--ta-on-accent) !important; }
.ta-none { border-left: 3px solid var(--ta-accent); padding: 2px 0 2px 18px; margin: 18px 0 0; }
.ta-none h3 { font: 700 20px/1.35 var(--ta-serif); margin: 0 0 6px; color: var(--ta-ink); }
.ta-none p, .ta-none li { font-size: 15px; line-height: 1.6; margin: 0 0 8px;
  color: var(--ta-ink); overflow-wrap: anywhere; }
.ta-none pre { margin: 0 0 10px; padding: 12px 14px; border-radius: 8px; overflow-x: auto;
  background: var(--ta-tint); font: 13.5px/1.7 ui-monospace, "Noto Sans Mono", "Liberation Mono",
  monospace; color: var(--ta-ink); white-space: pre-wrap; }
.ta-notice { font-size: 14px; line-height: 1.5; color: var(--ta-ink); background: var(--ta-tint);
  border-radius: 6px; padding: 8px 12px; margin: 8px 0 0; overflow-wrap: anywhere; }
.ta-more { font-size: 14px; line-height: 1.55; color: var(--ta-soft); margin: 12px 0 0; }
.ta-more summary { cursor: pointer; list-style-position: inside; }
.ta-more ul { margin: 8px 0 0; padding-left: 20px; list-style: disc; }
.ta-more li { color: var(--ta-ink); overflow-wrap: anywhere; }
.ta-foot { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; margin-top: 18px;
  font-size: 13px; color: var(--ta-soft); font-variant-numeric: tabular-nums; }
.ta-foot .ta-link, .ta-doors .ta-link { min-height: 24px; }
.ta-busy { display: flex; align-items: center; gap: 12px; margin: 18px 0; font-size: 15px;
  color: var(--ta-soft); }
.ta-busy i { width: 84px; height: 3px; border-radius: 2px; background: var(--ta-line);
  position: relative; overflow: hidden; flex: none; }
.ta-busy i::after { content: ""; position: absolute; inset: 0 60% 0 0; border-radius: 2px;
  background: var(--ta-accent); animation: ta-search 1.1s ease-in-out infinite alternate; }
@keyframes ta-search { to { inset: 0 0 0 60%; } }
@media (prefers-reduced-motion: reduce) {
  .ta-busy i::after { animation: none; inset: 0; opacity: .6; }
  html { scroll-behavior: auto !important; }
}
"""

_CARDS = """
.ta-sources h3 { font: 600 13px/1.4 var(--ta-sans); color: var(--ta-soft); margin: 4px 0 10px; }
.ta-card { background: var(--ta-sheet); border: 1px solid var(--ta-line); border-radius: 4px;
  padding: 16px 18px 14px; margin: 0 0 14px; }
.ta-card.on { border-color: var(--ta-accent); box-shadow: 0 0 0 1px var(--ta-accent); }
.ta-card h4 { font: 700 17px/1.32 var(--ta-serif); margin: 0 0 4px; color: var(--ta-ink);
  overflow-wrap: anywhere; text-wrap: pretty; }
.ta-byline { font-size: 13px; line-height: 1.45; color: var(--ta-soft); margin: 0 0 10px;
  overflow-wrap: anywhere; }
.ta-card blockquote { margin: 0 0 10px; padding: 0; border: 0; font: 400 15px/1.6 var(--ta-serif);
  color: var(--ta-soft); overflow-wrap: anywhere; }
#ta-page mark[data-number]::before { content: "[" attr(data-number) "]"; padding: 0 5px 0 2px;
  font: 600 12.5px/1 var(--ta-sans); color: var(--ta-accent); }
#ta-page mark, #ta-reader mark { background: var(--ta-mark); color: var(--ta-on-mark);
  padding: 1px 0; border-radius: 2px; box-decoration-break: clone;
  -webkit-box-decoration-break: clone; scroll-margin: 90px 0 240px; }
#ta-page mark:focus { outline: 0; text-decoration: underline 2px var(--ta-accent);
  text-underline-offset: 3px; }
.ta-also { font-size: 13px; line-height: 1.6; color: var(--ta-soft); margin: 0 0 10px; }
.ta-doors { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 12px 0 0;
  font-size: 13.5px; }
.ta-doors .ta-quiet { padding: 5px 12px !important; min-height: 34px;
  font-size: 13.5px !important; }
"""

_WELCOME = """
.ta-welcome { padding: 52px 0 36px; display: grid; gap: 28px 64px; align-items: start;
  grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); }
.ta-welcome h2 { font: 700 40px/1.14 var(--ta-serif); margin: 0 0 16px;
  color: var(--ta-ink); letter-spacing: -.015em; text-wrap: balance; }
.ta-welcome .lead p { font-size: 16px; line-height: 1.6; color: var(--ta-soft);
  margin: 0 0 12px; max-width: 46ch; }
.ta-welcome h3 { font: 600 13px/1.4 var(--ta-sans); color: var(--ta-soft); margin: 0 0 6px; }
.ta-examples { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--ta-line); }
.ta-examples li { margin: 0; border-bottom: 1px solid var(--ta-line); }
.ta-examples button { display: flex; gap: 14px; width: 100%; text-align: left; background: none;
  border: 0; padding: 13px 4px; cursor: pointer; font: 400 18px/1.4 var(--ta-serif) !important;
  color: var(--ta-ink); }
.ta-examples button::after { content: "→"; margin-left: auto; color: var(--ta-soft);
  font-family: var(--ta-sans); transition: transform .15s; }
.ta-examples button:hover { color: var(--ta-accent); }
.ta-examples button:hover::after { color: var(--ta-accent); transform: translateX(3px); }
"""

_COMPOSER = """
#ta-composer { position: sticky; bottom: 0; z-index: 20; gap: 0 !important;
  flex-grow: 0 !important; margin-top: auto !important;
  padding: 8px 0 16px; background: var(--ta-paper); border-top: 1px solid var(--ta-line);
  box-shadow: -2px 0 var(--ta-paper), 2px 0 var(--ta-paper); }
#ta-composer .form, #ta-composer .block { background: transparent !important; border: 0 !important;
  box-shadow: none !important; overflow: visible !important; }
#ta-filters { padding: 0 !important; margin: 0 !important; }
#ta-filters > button.label-wrap { width: auto !important; padding: 6px 0 !important; gap: 8px;
  color: var(--ta-soft) !important; font: 500 14px/1.4 var(--ta-sans) !important;
  margin: 0 !important; max-width: 100%; text-align: left; }
#ta-filters > button.label-wrap:hover { color: var(--ta-ink) !important; }
#ta-filters > button.label-wrap span { font: inherit !important; color: inherit !important; }
#ta-filters .label-wrap .icon { display: none; }
#ta-filters .label-wrap::after { content: ""; width: 7px; height: 7px; flex: none;
  border: solid currentColor; border-width: 0 1.5px 1.5px 0; transform: rotate(-135deg);
  margin: 4px 0 0 2px; transition: transform .15s; }
#ta-filters .label-wrap.open::after { transform: translateY(-4px) rotate(45deg); }
#ta-filter-row { gap: 12px !important; align-items: flex-start !important; padding: 4px 0 12px; }
#ta-filter-row .form { gap: 12px !important; }
#ta-clear { position: absolute; right: 0; top: 7px; width: auto; min-width: 0; cursor: pointer;
  font: 500 14px/1.4 var(--ta-sans) !important; background: none !important;
  box-shadow: none !important; border: 0 !important;
  padding: 6px 0 !important; min-height: 0; color: var(--ta-accent) !important;
  text-decoration: underline; text-underline-offset: 3px; }
#ta-clear:hover { background: none !important; text-decoration-thickness: 2px; }
#ta-composer:has(#ta-clear:not(.hidden, .hide)) #ta-filters > button.label-wrap {
  color: var(--ta-ink) !important; font-weight: 600 !important; max-width: calc(100% - 130px); }
#ta-filter-row .block { padding: 0 !important; }
#ta-composer label > span, #ta-composer .container > span { color: var(--ta-soft) !important;
  font: 500 13px/1.4 var(--ta-sans) !important; background: none !important; padding: 0 !important;
  border: 0 !important; }
#ta-composer textarea, #ta-composer input:not([type=checkbox]) {
  font: 16px/1.45 var(--ta-sans) !important;
  color: var(--ta-ink) !important; }
#ta-composer ::placeholder { color: var(--ta-soft) !important; opacity: 1; }
#ta-filter-row textarea, #ta-publishers .container > .wrap {
  background: var(--ta-sheet) !important; border: 1px solid var(--ta-soft) !important;
  border-radius: 6px !important; box-shadow: none !important; font-size: 15px !important; }
#ta-filter-row textarea { padding: 8px 10px !important; }
#ta-publishers .wrap-inner { padding: 3px 8px !important; gap: 5px; min-height: 38px; }
#ta-publishers .secondary-wrap input { margin: 0 !important; padding: 2px 4px !important;
  min-height: 30px; font-size: 15px !important; outline: 0 !important; }
#ta-publishers .container > .wrap:focus-within, #ta-filter-row textarea:focus {
  border-color: var(--ta-accent) !important; outline: 1px solid var(--ta-accent); }
#ta-composer label > span, #ta-composer .container > span { margin-bottom: 5px !important; }
#ta-publishers .token { background: var(--ta-tint) !important; color: var(--ta-ink) !important;
  border: 1px solid var(--ta-line) !important; border-radius: 4px !important; }
#ta-ask-row { gap: 8px !important; align-items: stretch; flex-wrap: nowrap;
  background: var(--ta-sheet); border: 1.5px solid var(--ta-soft); border-radius: 10px;
  padding: 5px; }
#ta-ask-row:focus-within { border-color: var(--ta-accent);
  box-shadow: 0 0 0 1px var(--ta-accent); }
#ta-ask-row .block { padding: 0 !important; }
#ta-question { flex: 1 1 auto; min-width: 0 !important; }
#ta-question textarea { background: transparent !important; border: 0 !important;
  box-shadow: none !important; outline: 0 !important; padding: 9px 10px !important; }
#ta-send { flex: 0 0 auto; width: auto; min-width: 88px !important; align-self: flex-end;
  min-height: 42px; }
#ta-hint .ta-hint { margin: 0 0 8px; font-size: 14px; line-height: 1.45; color: var(--ta-accent);
  font-weight: 600; overflow-wrap: anywhere; }
.options, ul.options { background: var(--ta-sheet) !important; color: var(--ta-ink) !important;
  border: 1px solid var(--ta-line) !important; }
.options .item.active, .options .item:hover { background: var(--ta-tint) !important; }
"""

_READER = """
#ta-reader { width: min(760px, 100vw); max-width: 100vw; height: 100dvh; max-height: 100dvh;
  margin: 0 0 0 auto; padding: 0; border: 0; border-left: 1px solid var(--ta-line);
  background: var(--ta-sheet); color: var(--ta-ink); font-family: var(--ta-sans);
  overflow-y: auto; overscroll-behavior: contain; scroll-padding: 90px 0; }
#ta-reader::backdrop { background: rgb(20 16 12 / .55); }
#ta-reader .bar { position: sticky; top: 0; z-index: 2; display: flex; gap: 12px;
  align-items: center; justify-content: space-between; padding: 10px 44px;
  background: var(--ta-sheet); border-bottom: 1px solid var(--ta-line); font-size: 13px;
  color: var(--ta-soft); }
#ta-reader .page { padding: 26px 44px 60px; }
#ta-reader h2 { font: 700 30px/1.2 var(--ta-serif); margin: 0 0 12px; letter-spacing: -.01em;
  color: var(--ta-ink); overflow-wrap: anywhere; text-wrap: balance; }
#ta-reader .facts { margin: 0 0 22px; padding: 0 0 16px; border-bottom: 1px solid var(--ta-line);
  font-size: 14px; line-height: 1.6; color: var(--ta-soft); overflow-wrap: anywhere; }
#ta-reader .facts strong { color: var(--ta-ink); font-weight: 600; }
#ta-reader .text p { font: 400 17.5px/1.66 var(--ta-serif); margin: 0 0 1em;
  color: var(--ta-ink); overflow-wrap: anywhere; }
#ta-reader .end { margin-top: 28px; padding-top: 14px; border-top: 1px solid var(--ta-line);
  font-size: 13.5px; line-height: 1.6; color: var(--ta-soft); overflow-wrap: anywhere; }
@media (prefers-reduced-motion: no-preference) {
  #ta-reader[open] { animation: ta-slide .18s ease-out; }
  @keyframes ta-slide { from { transform: translateX(24px); opacity: 0; } }
}
"""

# Gradio says in English, in a toast, that its server is gone. We raise no toasts of our own.
_TOAST = """
.toast-body { background: var(--ta-sheet) !important; border: 1px solid var(--ta-accent) !important;
  box-shadow: none !important; border-radius: 6px !important; }
.toast-body .toast-title, .toast-body .toast-message-text { font-size: 0 !important; }
.toast-body .toast-title::before, .toast-body .toast-message-text::before {
  font: 600 14px/1.5 var(--ta-sans); color: var(--ta-ink); content: "Sambungan terputus"; }
.toast-body .toast-message-text::before { font-weight: 400;
  content: "Server tidak menjawab. Halaman ini menyambung lagi dengan sendirinya."; }
"""

_PHONE = """
@media (max-width: 900px) {
  .ta-turn, .ta-welcome { grid-template-columns: minmax(0, 1fr); }
  .ta-turn { padding: 22px 0 28px; }
}
@media (max-width: 600px) {
  .gradio-container .main.app { padding: 0 18px !important; }
  #ta-masthead { padding: 14px 0 8px; gap: 10px; align-items: center; }
  #ta-name h1 { font-size: 26px; }
  #ta-name p { display: none; }
  #ta-restart { padding: 6px 10px !important; font-size: 13px !important; }
  .ta-question { font-size: 22px; }
  .ta-answer p { font-size: 17px; }
  .ta-cite { padding: 6px 5px; }
  .ta-welcome { padding: 24px 0 20px; }
  .ta-welcome h2 { font-size: 27px; margin-bottom: 10px; }
  .ta-welcome .lead p { font-size: 15px; margin: 0; }
  .ta-examples button { font-size: 16.5px !important; padding: 12px 2px; }
  .ta-card { padding: 14px 15px 13px; }
  #ta-composer { padding: 4px 0 10px; }
  #ta-clear { top: 3px; font-size: 13px !important; }
  #ta-filters > button.label-wrap { font-size: 13px !important; }
  #ta-send { min-width: 72px !important; padding: 8px 12px !important; }
  #ta-reader { width: 100vw; border-left: 0; }
  #ta-reader .bar { padding: 8px 18px; }
  #ta-reader .page { padding: 20px 18px 48px; }
  #ta-reader h2 { font-size: 25px; }
}
@media print {
  #ta-composer, #ta-restart, .ta-foot button, .ta-doors button { display: none !important; }
}
"""

CSS = "\n".join(
    [
        f":root {{ {_variables(LIGHT)} color-scheme: light;"
        f" --ta-serif: {SERIF}; --ta-sans: {SANS}; }}",
        f".dark {{ {_variables(DARK)} color-scheme: dark; }}",
        _FRAME,
        _BUTTONS,
        _on_page(_TURNS),
        _on_page(_CARDS),
        _on_page(_WELCOME),
        _COMPOSER,
        _READER,
        _TOAST,
        _on_page(_PHONE),
    ]
)

HEAD = f"""<style>{CSS}</style>
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<script>document.documentElement.lang = "id";</script>
"""

# Runs once for each part of the page that shows turns. Gradio keeps `element` and replaces what is
# in it, so that one listener on it hears every turn; `trigger` and `server` are Gradio's.
TURNS_JS = r"""
const reader = () => {
  let dialog = document.getElementById('ta-reader');
  if (dialog) return dialog;
  dialog = document.createElement('dialog');
  dialog.id = 'ta-reader';
  dialog.setAttribute('aria-labelledby', 'ta-reader-title');
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog || event.target.closest('[data-do=close]')) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
};

// What is said here is read out; the region itself must not come and go with the turns.
const heard = () => {
  let region = document.getElementById('ta-heard');
  if (region) return region;
  region = document.createElement('p');
  region.id = 'ta-heard';
  region.className = 'ta-only-heard';
  region.setAttribute('role', 'status');
  document.body.append(region);
  return region;
};

const showInReader = (html) => {
  const dialog = reader();
  dialog.innerHTML = html;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const mark = dialog.querySelector('mark');
  if (mark) mark.scrollIntoView({block: 'center'});
  dialog.querySelector('[data-do=close]').focus({preventScroll: true});
};

let opening = 0;
const openArticle = async (button) => {
  const mine = ++opening;
  showInReader(element.querySelector('template.ta-opening').innerHTML);
  let html;
  try {
    html = await server.read_article(JSON.parse(button.dataset.article));
  } catch (error) {
    html = undefined;
  }
  // Gradio resolves a request that failed, too, but not to a text.
  if (typeof html !== 'string') html = element.querySelector('template.ta-unreachable').innerHTML;
  if (mine === opening && reader().open) showInReader(html);
};

const pointAt = (link) => {
  const mark = document.getElementById(link.dataset.to);
  if (!mark) return;
  document.querySelectorAll('.ta-card.on, .ta-cite.on').forEach((e) => e.classList.remove('on'));
  link.classList.add('on');
  mark.closest('.ta-card').classList.add('on');
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  mark.scrollIntoView({block: 'center', behavior: calm ? 'auto' : 'smooth'});
  mark.focus({preventScroll: true});
};

const copy = async (button) => {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch (error) {
    // Without https a page may not use the clipboard; the old way still works there.
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = before; }, 1800);
};

const edit = (button) => {
  const form = document.getElementById(button.dataset.form);
  form.hidden = !form.hidden;
  element.querySelectorAll('[data-do=edit][aria-controls]').forEach((other) => {
    if (other.dataset.form === form.id) other.setAttribute('aria-expanded', String(!form.hidden));
  });
  if (!form.hidden) form.querySelector('input').select();
};

// Not Gradio's autofocus: that scrolls the page, and brings up the keyboard of a phone.
const focusBox = () => {
  const box = document.querySelector('#ta-question textarea');
  if (box && matchMedia('(hover: hover)').matches) box.focus({preventScroll: true});
};

element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-do]');
  if (!target) return;
  const act = target.dataset.do;
  if (act === 'cite') { event.preventDefault(); pointAt(target); }
  if (act === 'read') openArticle(target);
  if (act === 'copy') copy(target);
  if (act === 'edit') edit(target);
  if (act === 'ask') {
    trigger('submit', JSON.parse(target.dataset.ask));
    focusBox();
  }
});

element.addEventListener('keydown', (event) => {
  const form = event.target.closest && event.target.closest('form.ta-edit');
  if (event.key !== 'Escape' || !form) return;
  const opener = element.querySelector(`[data-do=edit][data-form="${form.id}"][aria-controls]`);
  edit(opener);
  opener.focus({preventScroll: true});
});

// The dates of a question that had some, and its publishers, which the form does not show.
const limitsOf = (form) => {
  const ends = form.querySelector('.ends');
  if (!ends) return {};
  return {edited: true, limits: {
    after: form.elements.after.value,
    before: form.elements.before.value,
    publishers: JSON.parse(ends.dataset.publishers),
    authors: JSON.parse(ends.dataset.authors),
  }};
};

element.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  trigger('submit', {
    text: form.elements.text.value,
    turn: Number(form.dataset.turn),
    ...limitsOf(form),
  });
  focusBox();
});

focusBox();
// A new question is brought to the top of the window, and once more when its answer is complete,
// unless the reader has gone elsewhere meanwhile.
let shown = '', complete = '', moved = false;
for (const act of ['wheel', 'touchmove', 'keydown'])
  window.addEventListener(act, () => { moved = true; }, {passive: true});
const toTop = (turn) => setTimeout(() => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  turn.scrollIntoView({block: 'start', behavior: calm ? 'auto' : 'smooth'});
}, 50);
watch('value', () => {
  const turn = element.querySelector('.ta-turn.newest');
  if (!turn) return;
  const done = turn.getAttribute('aria-busy') === 'false';
  const said = turn.dataset.heard;
  if (said && heard().textContent !== said) heard().textContent = said;
  if (turn.id !== shown) {
    shown = turn.id;
    moved = false;
    toTop(turn);
  }
  if (done && turn.id !== complete) {
    complete = turn.id;
    if (!moved) toTop(turn);
  }
  if (!done) complete = '';
});
"""
