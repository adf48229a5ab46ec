// Two charts, drawn by hand: coins per miner as lines, speed as an area. Each has its table.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { format, colours } = app;
  const { ems } = app.measure;
  const { byId, make } = app.dom;
  const SVG = "http://www.w3.org/2000/svg";
  const TABLE_ROWS = 12;
  const BOLD = 600; // what is beside a line's end
  const GAP = 0.5; // ems between the two

  function svg(tag, attributes, content) {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (content !== undefined) element.textContent = content;
    return element;
  }

  /** A round step so that `most` takes about `wanted` of them. */
  function step(most, wanted) {
    const rough = most / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  }

  /** What an axis says at a round value: "50", "200,000", "5 M". */
  function tick(value, exact) {
    if (value < exact) return format.grouped(value);
    const [number, prefix] = format.scaled(value);
    return `${Number(number)} ${prefix}`.trim();
  }

  /** The drawing: its size in pixels, and where values and steps lie in it. `label` is what its axis says at a value. */
  function frame(box, most, history, gutter, label) {
    const width = Math.max(box.clientWidth, 120);
    const height = Math.max(box.clientHeight, 60);
    const em = parseFloat(getComputedStyle(box).fontSize);
    const count = Math.max(history.coins.length, 1);
    const top = em * 0.8;
    const bottom = height - em * 1.5;
    const stride = step(most, Math.max(2, Math.min(5, (bottom - top) / (em * 2.2))));
    const ticks = [];
    for (let value = 0; value <= most * 1.0001; value += stride) ticks.push([value, label(value)]);
    const left = em * (Math.max(2, ...ticks.map(([, words]) => ems(words))) + 0.6);
    const right = Math.max(width - gutter * em, left + 10);
    // The last step is as far as it has come, not as wide as it will be.
    const length = Math.max(history.end_seconds - history.start_seconds, history.step_seconds);
    const x = (index) =>
      left + ((right - left) * Math.min((index + 1) * history.step_seconds, length)) / length;
    const y = (value) => bottom - ((bottom - top) * value) / most;
    return { width, height, em, left, right, top, bottom, x, y, count, length, ticks };
  }

  function axes(at, history) {
    const group = svg("g", { class: "axes", "aria-hidden": "true" });
    for (const [value, words] of at.ticks) {
      group.append(
        svg("line", { class: "grid", x1: at.left, x2: at.right, y1: at.y(value), y2: at.y(value) }),
        svg("text", { x: at.left - at.em * 0.4, y: at.y(value) + at.em * 0.32, "text-anchor": "end" }, words),
      );
    }
    const baseline = at.height - at.em * 0.25;
    const stamp = at.length < 300 ? format.clockExact : format.clock;
    if (at.right - at.left > at.em * 9) group.append(svg("text", { x: at.left, y: baseline }, stamp(history.start_seconds)));
    group.append(
      svg("text", { x: at.right, y: baseline, "text-anchor": "end" }, stamp(history.end_seconds)),
    );
    return group;
  }

  function place(box, at, label, children) {
    const drawing = svg("svg", {
      width: at.width,
      height: at.height,
      viewBox: `0 0 ${at.width} ${at.height}`,
      role: "img",
      "aria-label": label,
    });
    drawing.append(...children);
    box.replaceChildren(drawing);
  }

  /** Keeps labels a line apart without leaving the drawing: down from the top, then up from the bottom. */
  function spread(labels, gap, top, bottom) {
    labels.sort((a, b) => a.y - b.y);
    let edge = top - gap;
    for (const label of labels) edge = label.y = Math.max(label.y, edge + gap);
    edge = bottom + gap;
    for (const label of [...labels].reverse()) edge = label.y = Math.min(label.y, edge - gap);
  }

  function race(history, cursor) {
    const box = byId("race-plot");
    const most = Math.max(1, ...history.miners.map((miner) => miner.coins.at(-1) ?? 0)) * 1.05;
    const label = (value) => (Number.isInteger(value) ? tick(value, 1e6) : "");
    const ends = history.miners.map((miner) => ({ name: format.name(miner.name), number: format.amount(miner.coins.at(-1) ?? 0) }));
    const wanted = Math.max(4, ...ends.map(({ name, number }) => ems(`${name} ${number}`, BOLD))) + GAP + 0.2;
    const gutter = Math.min(wanted, (0.4 * box.clientWidth) / parseFloat(getComputedStyle(box).fontSize));
    const at = frame(box, most, history, gutter, label);
    const fit = Math.max(1, Math.floor((at.bottom - at.top) / (at.em * 1.2)));
    const shown = history.miners.slice(0, Math.min(8, fit));
    const labels = [];
    const lines = shown.map((miner, index) => {
      const points = [`${at.left},${at.y(miner.coins[0] ?? 0)}`];
      miner.coins.forEach((coins, index) => points.push(`${at.x(index).toFixed(1)},${at.y(coins).toFixed(1)}`));
      labels.push({ end: ends[index], slot: colours.slot(miner.name), y: at.y(miner.coins.at(-1) ?? 0) });
      return svg("polyline", { class: "line", "data-slot": colours.slot(miner.name), points: points.join(" ") });
    });
    spread(labels, at.em * 1.2, at.top, at.bottom);
    const texts = labels.map(({ end: { name, number }, slot, y }) => {
      const short = app.measure.fit(name, gutter - GAP - ems(` ${number}`, BOLD), BOLD);
      const place = { x: at.right + at.em * GAP, y: y + at.em * 0.35 };
      return svg("text", { class: "end", "data-slot": slot, ...place }, `\u2068${short}\u2069 ${number}`);
    });
    const leader = shown[0];
    const words = leader
      ? `Coins over time. ${format.name(leader.name)} is ahead with ${format.coins(leader.coins.at(-1) ?? 0)}.`
      : "Coins over time. No coin yet.";
    place(box, at, words, [
      axes(at, history),
      ...lines.reverse(),
      ...texts,
      ...mark(at, cursor),
    ]);
  }

  function speed(history, cursor) {
    const box = byId("speed-plot");
    const rates = history.hashes_per_second;
    const most = Math.max(1, ...rates.map((rate) => rate ?? 0)) * 1.1;
    const at = frame(box, most, history, 0.6, (value) => tick(value, 1));
    // After a restart the speed before it is unknown: no line is drawn there.
    const known = rates.findIndex((rate) => rate !== null);
    const points = rates.flatMap((rate, index) => (rate === null ? [] : [`${at.x(index).toFixed(1)},${at.y(rate).toFixed(1)}`]));
    const begin = known <= 0 ? at.left : at.x(known - 1);
    const start = `${begin},${at.y(rates[known] ?? 0)}`;
    const last = points.length ? at.x(rates.length - 1) : begin;
    const area = `${begin},${at.bottom} ${start} ${points.join(" ")} ${last},${at.bottom}`;
    const now = format.rate(rates.at(-1) ?? 0).join(" ");
    place(box, at, `Speed over time, now ${now}.`, [
      svg("polygon", { class: "area", points: area }),
      svg("polyline", { class: "line", "data-slot": "1", points: `${start} ${points.join(" ")}` }),
      axes(at, history),
      ...mark(at, cursor),
    ]);
  }

  /** Where the slider of a replay stands. */
  function mark(at, cursor) {
    if (cursor === undefined) return [];
    return [svg("line", { class: "cursor", x1: at.x(cursor), x2: at.x(cursor), y1: at.top, y2: at.bottom })];
  }

  function cells(tag, values) {
    const row = make("tr");
    values.forEach((value, index) => {
      const cell = make(index === 0 || tag === "th" ? "th" : "td");
      if (index === 0 && tag !== "th") cell.scope = "row";
      if (tag === "th") cell.scope = "col";
      const holder = tag === "th" && index > 0 ? make("bdi", "who", value) : null;
      if (holder) cell.append(holder);
      else cell.textContent = value;
      row.append(cell);
    });
    return row;
  }

  function table(id, history, heads, values) {
    const count = history.coins.length;
    const picked = [];
    for (let k = 0; k < Math.min(TABLE_ROWS, count); k += 1) {
      picked.push(Math.round(((count - 1) * (k + 1)) / Math.min(TABLE_ROWS, count)));
    }
    const element = byId(id);
    element.tHead.replaceChildren(cells("th", ["Time", ...heads]));
    const moment = (index) => Math.min(history.start_seconds + (index + 1) * history.step_seconds, history.end_seconds);
    element.tBodies[0].replaceChildren(
      ...[...new Set(picked)].map((index) => cells("td", [format.clockExact(moment(index)), ...values(index)])),
    );
  }

  /** Draws what can be seen: a table only while it is open. */
  function show(history, cursor) {
    race(history, cursor);
    speed(history, cursor);
    if (byId("race-details").open) {
      const heads = ["all", ...history.miners.map((miner) => format.name(miner.name))];
      table("race-table", history, heads, (index) =>
        [history.coins[index], ...history.miners.map((miner) => miner.coins[index])].map(format.grouped),
      );
    }
    if (byId("speed-details").open) {
      table("speed-table", history, ["Speed"], (index) => {
        const rate = history.hashes_per_second[index];
        return [typeof rate !== "number" ? "–" : format.rate(rate).join(" ")];
      });
    }
  }

  app.charts = { show };
  app.svg = svg;
})();
