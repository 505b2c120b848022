// How the panel looks. A constructed sheet: no policy of a site has to allow it (CSP 3, 6.7.3).

export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host {
    all: initial;
    color-scheme: light dark;
    --paper: #fbfaf9; --raised: #fff; --ink: #1d1b1a; --quiet: #67615c; --line: #e6e1dc;
    --good: #0f6b4f; --good-wash: #e7f5ee; --bad: #b42318; --bad-wash: #fdeceb;
    --warn: #7a4b00; --warn-wash: #fdf3dc;
    --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
    font: 13px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    color: var(--ink);
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --paper: #151413; --raised: #1d1c1b; --ink: #eeebe8; --quiet: #a8a29c; --line: #34312f;
      --good: #7ee2b8; --good-wash: #12301f; --bad: #ff9d92; --bad-wash: #451a17;
      --warn: #f3c66b; --warn-wash: #372809;
    }
  }
  @media print { :host { display: none; } }
  *, ::before { box-sizing: border-box; }
  [hidden] { display: none !important; }
  button, select { font: inherit; color: inherit; }
  code, pre { font: 12px/1.6 var(--mono); margin: 0; }
  :focus-visible { outline: 2px solid var(--good); outline-offset: -2px; border-radius: 4px; }

  .corner, .box {
    position: fixed; z-index: 2147483646; background: var(--raised); border: 1px solid var(--line);
  }
  .corner {
    inset: auto auto 12px 12px; display: flex; align-items: center; padding: 4px 11px;
    border-radius: 99px; box-shadow: 0 1px 2px #0002, 0 4px 14px #0002; cursor: pointer;
    font-size: 12px; font-variant-numeric: tabular-nums; opacity: .92;
  }
  .corner:hover { opacity: 1; }
  .corner::before {
    content: ""; width: 8px; height: 8px; margin-right: 8px; border-radius: 50%;
    background: var(--good);
  }
  .corner.warn::before { background: var(--warn); }
  .corner.bad::before { background: var(--bad); }
  .corner span + span::before { content: "·"; margin: 0 6px; color: var(--quiet); }

  .box {
    inset: auto 0 0 0; display: flex; flex-direction: column; height: min(46vh, 26rem);
    border-width: 1px 0 0; background: var(--paper); box-shadow: 0 -6px 24px #0002;
  }
  @media (max-width: 40rem) { .box { height: 60vh; } }
  @media (prefers-reduced-motion: no-preference) {
    .box { animation: rise .14s ease-out; }
    @keyframes rise { from { transform: translateY(12px); opacity: 0; } }
  }
  .bar {
    display: flex; flex: none; justify-content: space-between; padding: 0 8px;
    background: var(--raised); border-bottom: 1px solid var(--line);
  }
  [role=tablist] { display: flex; overflow-x: auto; }
  [role=tab] {
    display: flex; gap: 6px; align-items: center; padding: 9px 12px 7px; border: 0;
    border-bottom: 2px solid transparent; background: none; color: var(--quiet); cursor: pointer;
  }
  [role=tab]:hover { color: var(--ink); }
  [role=tab][aria-selected=true] { color: var(--ink); border-color: var(--good); font-weight: 600; }
  [role=tab] span:empty { display: none; }
  [role=tab] span {
    min-width: 18px; padding: 0 5px; border-radius: 9px; background: var(--line); color: var(--ink);
    font-size: 11px; font-weight: 500; line-height: 18px; text-align: center;
    font-variant-numeric: tabular-nums;
  }
  [role=tab].warn span { background: var(--warn-wash); color: var(--warn); }
  [role=tab].bad span { background: var(--bad-wash); color: var(--bad); }
  [role=tabpanel] { flex: 1; overflow: auto; padding: 12px 16px 20px; overscroll-behavior: contain; }
  .plain { padding: 2px 10px; border: 1px solid var(--line); border-radius: 6px; background: none; cursor: pointer; }
  .plain:hover { border-color: var(--quiet); }
  .close { align-self: center; width: 28px; height: 28px; padding: 0; border: 0; font-size: 18px; line-height: 1; }

  .quiet { margin: 8px 0; color: var(--quiet); }
  dl { display: grid; gap: 5px 24px; margin: 0; }
  dl div { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 12px; }
  dt { color: var(--quiet); }
  dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
  @media (max-width: 40rem) { dl div { grid-template-columns: 5.5rem minmax(0, 1fr); } }

  .title { margin: 4px 0 8px; font-weight: 600; }
  ol + .title { margin-top: 20px; }
  ul, ol { margin: 0; padding: 0; list-style: none; }
  .warnings { margin-bottom: 10px; }
  .warnings li {
    padding: 8px 12px; border-radius: 8px; background: var(--warn-wash); color: var(--warn);
    overflow-wrap: anywhere;
  }
  .warnings li + li { margin-top: 6px; }
  .statements, .frames { border: 1px solid var(--line); border-radius: 8px; background: var(--raised); overflow: hidden; }
  li + li { border-top: 1px solid var(--line); }
  .warnings li + li { border: 0; }
  .statements li { padding: 8px 12px; }
  .statements pre { max-height: 9.6em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
  .statements p { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 4px 0 0; color: var(--quiet); }
  .statements p code { overflow-wrap: anywhere; }
  .statements .took { margin-left: auto; }
  .times { color: var(--warn); font-weight: 600; }

  .tools { display: flex; gap: 12px; align-items: center; justify-content: space-between; margin: 12px 0 8px; }
  select { padding: 2px 6px; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); }
  .frames summary {
    display: grid; grid-template-columns: 1em minmax(0, max-content) minmax(0, 1fr) max-content 5.5em; gap: 12px;
    align-items: baseline; padding: 5px 12px; cursor: pointer; list-style: none;
    font-variant-numeric: tabular-nums;
  }
  .frames summary::-webkit-details-marker { display: none; }
  .frames summary:hover { background: var(--paper); }
  .frames b, .frames summary code { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .frames b { font-weight: 600; }
  .frames .bytes, .frames .took { text-align: right; color: var(--quiet); }
  .frames .up .arrow { color: var(--good); }
  .frames .down .arrow { color: var(--quiet); }
  .frames .bad summary { background: var(--bad-wash); color: var(--bad); }
  .frames .bad .bytes, .frames .bad .took { color: inherit; }
  .frames pre {
    max-height: 14em; margin: 0; padding: 8px 12px; overflow: auto; border-top: 1px dashed var(--line);
    background: var(--paper); white-space: pre-wrap; overflow-wrap: anywhere;
  }
  @media (max-width: 40rem) {
    .frames summary { grid-template-columns: 1em minmax(0, 1fr) max-content max-content; gap: 2px 8px; }
    .frames summary code { grid-row: 2; grid-column: 2 / -1; }
  }

  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: 4px 14px 4px 0; text-align: right; font-weight: 400; }
  thead th { color: var(--quiet); }
  tbody th { text-align: left; }
  tbody tr { border-top: 1px solid var(--line); }
  tbody + tbody::before { content: ""; display: block; height: 12px; }
  .zero { color: var(--quiet); }
  @media (max-width: 40rem) {
    table { font-size: 12px; }
    th, td { padding-right: 8px; }
    tbody th { overflow-wrap: anywhere; }
  }
`);

// In the page itself, while the panel is open: its end can be scrolled to above the panel.
export const room = new CSSStyleSheet();
room.replaceSync(`
  :root { padding-bottom: min(46vh, 26rem) !important; scroll-padding-bottom: min(46vh, 26rem); }
  @media (max-width: 40rem) { :root { padding-bottom: 60vh !important; scroll-padding-bottom: 60vh; } }
`);
