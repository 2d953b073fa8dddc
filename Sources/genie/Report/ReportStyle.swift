import Reporting

/// How a report looks: light or dark as the reader's system is, from a phone's width on.
enum ReportStyle {
  static let css: HTML = """
    :root { color-scheme: light dark;
      --ground: #faf9f6; --card: #ffffff; --ink: #1f2024; --quiet: #6b6c72; --line: #e4e2dc;
      --accent: #2f6f4f;
      --band: #2f6f4f33; --other: #8d8e94; --otherband: #8d8e9433; --warn: #a4452c; }
    @media (prefers-color-scheme: dark) { :root {
      --ground: #16171a; --card: #1e1f23; --ink: #e9e7e2; --quiet: #9b9ca3; --line: #303138;
      --accent: #7cc9a0;
      --band: #7cc9a03d; --other: #8d8e94; --otherband: #8d8e9440; --warn: #e88f74; } }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--ground); color: var(--ink);
      font: 17px/1.6 "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", Georgia, serif; }
    main { max-width: 62rem; margin: 0 auto; padding: 4rem 1.5rem 5rem; }
    .sans, table, figcaption, dl, .overline, svg text {
      font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    h1 { font-size: clamp(2.1rem, 6vw, 3.2rem); line-height: 1.1; font-weight: 500;
      letter-spacing: -0.015em;
      margin: 0.4rem 0 1.2rem; text-wrap: balance; }
    h2 { font-size: 1.65rem; font-weight: 500; letter-spacing: -0.01em; margin: 4.5rem 0 0.6rem; }
    p { max-width: 42rem; margin: 0 0 1rem; text-wrap: pretty; overflow-wrap: break-word; }
    p.lead { font-size: 1.15rem; color: var(--quiet); }
    .overline { font-size: 0.75rem; letter-spacing: 0.09em; text-transform: uppercase;
      color: var(--quiet); }
    .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.25rem;
      margin: 2.5rem 0 0; }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
      padding: 1.4rem 1.5rem; }
    .card .figure { display: flex; align-items: baseline; gap: 0.7rem; margin: 0.4rem 0 0.7rem; }
    .card .figure b { font-size: 3.2rem; line-height: 1.1; font-weight: 500; letter-spacing: -0.03em;
      font-variant-numeric: lining-nums; color: var(--accent); }
    .card.undecided .figure b { color: var(--ink); } .card.no .figure b { color: var(--warn); }
    .card .figure span { color: var(--quiet); font-size: 0.95rem; line-height: 1.3; }
    .card p { font-size: 0.95rem; line-height: 1.5; margin: 0; }
    table { width: 100%; border-collapse: collapse; margin: 1.6rem 0 2rem; font-size: 0.9rem;
      font-variant-numeric: tabular-nums; }
    th { text-align: right; font-weight: 400; font-size: 0.78rem; color: var(--quiet);
      padding: 0 0 0.4rem 1rem;
      white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; padding-left: 0; }
    td { text-align: right; padding: 0.6rem 0 0.6rem 1rem; border-top: 1px solid var(--line);
      white-space: nowrap; }
    td.plot { width: 34%; min-width: 9rem; }
    td.interval, td.length { color: var(--quiet); }
    tr.trained td:first-child, tr.trained td.mean { font-weight: 600; }
    .track { position: relative; height: 1.1rem; border-left: 1px solid var(--other); }
    .track i { position: absolute; border-radius: 99px; }
    .track .band { top: 0.25rem; height: 0.6rem; min-width: 2px; background: var(--otherband); }
    .track .dot { top: 0.2rem; width: 0.7rem; height: 0.7rem; margin-left: -0.35rem;
      background: var(--other); }
    .track .beyond { position: absolute; right: 0; line-height: 1.1rem; color: var(--other); }
    tr.trained .band { background: var(--band); } tr.trained .dot { background: var(--accent); }
    .films { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1.25rem;
      margin: 1.75rem 0 1.25rem; }
    figure { margin: 0; }
    figcaption { font-size: 0.82rem; line-height: 1.45; color: var(--quiet); margin-top: 0.5rem; }
    figcaption b { color: var(--ink); font-weight: 600; }
    .film { aspect-ratio: 1; border-radius: 0.6rem;
      background: var(--strip) 0 0 / calc(100% * var(--frames)) 100% no-repeat;
      image-rendering: pixelated; animation: film var(--seconds) steps(var(--frames), jump-none) infinite; }
    @keyframes film { from { background-position: 0 0; } to { background-position: 100% 0; } }
    @media (prefers-reduced-motion: reduce) { .film { animation: none; } }
    .sheet { overflow-x: auto; border-radius: 0.6rem; background: #18181c; }
    .sheet img { display: block; width: 100%; min-width: 52rem; }
    svg.curve { display: block; width: 100%; height: auto; margin-top: 1rem; }
    svg text { font-size: 12px; fill: var(--quiet); }
    svg .y { text-anchor: end; dominant-baseline: middle; } svg .x { text-anchor: middle; }
    svg .grid { stroke: var(--line); } svg .chance { stroke: var(--other); stroke-dasharray: 4 4; }
    svg path { fill: none; stroke: var(--accent); stroke-linejoin: round; stroke-linecap: round; }
    svg .raw { stroke-width: 1.2; opacity: 0.35; } svg .smooth { stroke-width: 2.4; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.45rem 1.5rem; font-size: 0.88rem;
      margin: 1.2rem 0; }
    dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
    @media (max-width: 640px) {
      main { padding: 2.2rem 1.1rem 3rem; } h2 { margin-top: 3.2rem; }
      thead { display: none; } table, tbody { display: block; }
      tr { display: grid; grid-template-columns: 1fr auto; border-top: 1px solid var(--line);
      padding: 0.7rem 0; }
      td { border: 0; padding: 0; white-space: normal; } td.plot { grid-column: 1 / -1; order: 3;
      width: auto; margin: 0.35rem 0; }
      td.interval { order: 4; text-align: left; } td.length { order: 5; } td.success { order: 6;
      grid-column: 1 / -1; text-align: left; }
      td[data-label]::before { content: attr(data-label) " "; color: var(--quiet); }
      td.success:empty { display: none; }
      svg text { font-size: 24px; } .films { grid-template-columns: 1fr; }
      dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.7rem; } }
    """
}
