// The table of ranks: one row per miner, kept and moved, never built anew.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { format, colours } = app;
  const { byId, text, make } = app.dom;

  const QUIET = 120; // seconds without a request: longer than a unit should take
  const COLUMNS = ["rank", "name", "coins", "share", "rate", "luck", "last"];

  const rows = new Map(); // name -> {row, cells, bar, tag, who}
  const still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");

  function build() {
    const row = make("tr", "row");
    row.setAttribute("role", "row");
    const cells = {};
    for (const column of COLUMNS) {
      const cell = make(column === "name" ? "th" : "td", `c-${column}`);
      if (column === "name") cell.scope = "row";
      cell.setAttribute("role", column === "name" ? "rowheader" : "cell");
      cells[column] = cell;
      row.append(cell);
    }
    const who = make("bdi", "who");
    const tag = make("span", "tag");
    tag.append(make("span"), make("span", "for"));
    cells.name.append(who, tag);
    const bar = make("span", "bar");
    bar.setAttribute("aria-hidden", "true");
    cells.coins.append(make("span", "number"), bar);
    return { row, cells, bar, tag, who, number: cells.coins.firstChild };
  }

  /** ["left", " 3 min ago"], ["quiet", " 2 min"], or nothing while a miner asks for work. */
  function absence(miner, now) {
    const since = miner.asked_at_seconds;
    if (!miner.present) return since === null ? ["away", ""] : ["left", ` ${format.span(now - since)} ago`];
    return since !== null && now - since > QUIET ? ["quiet", ` ${format.span(now - since)}`] : null;
  }

  function fill(parts, miner, most, now, replayed) {
    const { cells } = parts;
    text(cells.rank, miner.rank);
    text(parts.who, format.name(miner.name));
    const absent = replayed ? null : absence(miner, now);
    parts.tag.hidden = absent === null;
    if (absent !== null) absent.forEach((word, index) => text(parts.tag.children[index], word));
    text(parts.number, format.grouped(miner.coins));
    text(cells.share, format.percent(miner.share));
    text(cells.rate, format.rate(miner.hashes_per_second).join(" "));
    text(cells.luck, miner.luck === null ? "–" : format.percent(miner.luck));
    text(cells.last, miner.last_coin_at_seconds === null ? "–" : format.span(now - miner.last_coin_at_seconds));
    parts.bar.style.setProperty("--part", most ? miner.coins / most : 0);
    parts.row.dataset.slot = colours.slot(miner.name);
    parts.row.classList.toggle("first", miner.rank === 1 && miner.coins > 0);
  }

  /** Moves rows from where they were to where they are: first, last, invert, play. */
  function glide(before) {
    if (still.matches || typeof Element.prototype.animate !== "function") return;
    for (const [row, old] of before) {
      if (!row.isConnected || row.hidden) continue;
      const box = row.getBoundingClientRect();
      const [dx, dy] = [old.left - box.left, old.top - box.top];
      if (Math.abs(dx) + Math.abs(dy) < 2) continue;
      row.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], {
        duration: 700,
        easing: "cubic-bezier(.2,.8,.2,1)",
      });
    }
  }

  /** Ems for the coins of one who has `most`: a column of its own width in each row, since each row is a grid. */
  const numberWidth = (most) => Math.max(2, app.measure.ems(format.grouped(most), 750)) + 0.1;

  /** Ems for the last of so many ranks. */
  const rankWidth = (ranks) => app.measure.ems(String(ranks), 400) + 0.1;

  /** Ems for a name, as bold as in a row. */
  const nameWidth = (name) => app.measure.ems(format.name(name), 600);

  /** Shows `miners`, in their order. `visible(index)` says which of them are on this page of the wall. */
  function show(miners, now, visible, replayed = false) {
    const body = byId("rank-rows");
    const most = miners.length ? miners[0].coins : 0;
    byId("ranks-box").style.setProperty("--coins", numberWidth(most));
    byId("ranks-box").style.setProperty("--last-rank", rankWidth(miners.length));
    const order = miners.map((miner) => miner.name);
    const shown = [...body.children].filter((row) => !row.hidden);
    const moved = order.some((one, index) => rows.get(one)?.row !== body.children[index]);
    const before = moved ? shown.slice(0, 60).map((row) => [row, row.getBoundingClientRect()]) : [];

    const present = new Set(order);
    for (const [one, parts] of rows) {
      if (!present.has(one)) {
        parts.row.remove();
        rows.delete(one);
      }
    }
    miners.forEach((miner, index) => {
      let parts = rows.get(miner.name);
      if (!parts) {
        parts = build();
        rows.set(miner.name, parts);
      }
      fill(parts, miner, most, now, replayed);
      const hide = !visible(index);
      if (parts.row.hidden !== hide) parts.row.hidden = hide;
      if (body.children[index] !== parts.row) body.insertBefore(parts.row, body.children[index] ?? null);
    });
    byId("ranks-empty").hidden = miners.length > 0;
    if (moved) glide(before);
  }

  /** "12 mining, 2 quiet, 1 away" */
  function summary(miners, now) {
    const words = { mining: 0, quiet: 0, away: 0 };
    for (const miner of miners) {
      const absent = absence(miner, now);
      words[absent === null ? "mining" : absent[0] === "quiet" ? "quiet" : "away"] += 1;
    }
    return Object.entries(words)
      .filter(([word, count]) => count || word === "mining")
      .map(([word, count]) => `${count} ${word}`)
      .join(", ");
  }

  app.ranks = { show, summary, numberWidth, nameWidth };
})();
