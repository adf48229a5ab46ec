// The working front as one band. Each state has a pattern of its own besides its colour.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { format, colours } = app;
  const { byId, text, make } = app.dom;

  // One in a million is finer than any screen; BigInt keeps it exact at any size.
  const FINE = 1000000n;

  function hatch(id, content, size) {
    const pattern = app.svg("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse" });
    pattern.append(...content);
    return pattern;
  }

  function patterns() {
    const defs = app.svg("defs", {});
    defs.append(
      hatch("stripes", [app.svg("path", { class: "ink", d: "M-2 2l4-4M0 8l8-8M6 10l4-4" })], 8),
      hatch("dots", [app.svg("circle", { class: "ink-dot", cx: 3, cy: 3, r: 1.6 })], 7),
    );
    return defs;
  }

  // The two ends of a front differ in their last digits alone.
  const near = (digits) => (String(digits).length <= 18 ? format.grouped(digits) : format.amount(digits));

  function show(strip, game) {
    const box = byId("strip-plot");
    const [width, height] = [Math.max(box.clientWidth, 100), Math.max(box.clientHeight, 20)];
    const first = BigInt(strip.first);
    const span = BigInt(strip.last) - first + 1n;
    const x = (n) => (Number(((BigInt(n) - first) * FINE) / span) / Number(FINE)) * width;
    const parts = [];
    for (const segment of strip.segments) {
      const left = x(segment.first);
      const size = Math.max((Number(((BigInt(segment.last) + 1n - first) * FINE) / span) / Number(FINE)) * width - left, 1);
      const box = { x: left.toFixed(2), y: 0, width: size.toFixed(2), height };
      const slot = segment.miner === null ? 0 : colours.slot(segment.miner);
      parts.push(app.svg("rect", { ...box, class: `seg ${segment.state}`, "data-slot": slot }));
      if (segment.state === "open") parts.push(app.svg("rect", { ...box, fill: "url(#stripes)" }));
      if (segment.state === "returned") parts.push(app.svg("rect", { ...box, fill: "url(#dots)" }));
    }
    const label =
      `Integers ${format.grouped(strip.first)} to ${format.grouped(strip.last)}: ` +
      `${format.amount(game.finished)} finished in all, ${format.amount(game.open)} in hand, ` +
      `${format.amount(game.returned)} returned, untouched from ${format.grouped(game.frontier)}.`;
    const drawing = app.svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    drawing.append(patterns(), ...parts);
    box.replaceChildren(drawing);

    text(byId("front-note"), `${near(strip.first)} to ${near(strip.last)}`);
    text(byId("legend-finished"), format.amount(game.finished));
    text(byId("legend-open"), format.amount(game.open));
    text(byId("legend-returned"), format.amount(game.returned));
    text(byId("legend-frontier"), format.amount(game.frontier));
    if (byId("strip-details").open) table(strip);
  }

  function table(strip) {
    byId("strip-table").tBodies[0].replaceChildren(
      ...strip.segments.map((segment) => {
        const row = make("tr");
        const miner = make("td");
        miner.append(make("bdi", "who", segment.miner === null ? "" : format.name(segment.miner)));
        row.append(
          make("td", "", format.grouped(segment.first)),
          make("td", "", format.grouped(segment.last)),
          make("td", "", segment.state === "open" ? "in hand" : segment.state),
          miner,
        );
        return row;
      }),
    );
  }

  app.strip = { show };
})();
