// The page: takes states, shows them, and listens to buttons and keys.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { format } = app;
  const { byId, text } = app.dom;
  const options = new URLSearchParams(location.search);
  const ANNOUNCE = 15000; // a listener is told who leads at most this often

  const FEW = 12; // miners, beneath whom there is room for the newest coins

  const latest = { state: null, curves: null }; // what came last
  let state = null; // what is shown: a paused page stays with it, however often it is drawn
  let curves = null;
  let shownCurves = null;
  let offset = 0; // the server's clock less ours, in seconds
  let paused = false;
  let cursor; // of a replay
  let announced = { words: "", at: 0 };

  const now = () => Date.now() / 1000 + offset;

  /** Who leads, and by how much, in words for the phase. */
  function lead(shown) {
    const [first, second] = shown.miners;
    const final = shown.phase === "final" || shown.phase === "ended";
    if (shown.phase === "held") return ["Time is over. Who wins?", "", "", ""];
    if (!first || first.coins === 0) return [final ? "Nobody found a coin" : "No coin yet", "", "", ""];
    const verb = final ? " wins" : shown.phase === "frozen" ? " led" : " leads";
    if (!second) return ["", first.name, `${verb} with ${format.coins(first.coins)}`, ""];
    const behind = `${format.grouped(first.coins)} to ${format.grouped(second.coins)} for \u2068${format.name(second.name)}\u2069`;
    if (first.coins === second.coins) return ["", first.name, `${verb}: level, but there first`, behind];
    return ["", first.name, `${verb} by ${format.coins(first.coins - second.coins)}`, behind];
  }

  function showLead(shown) {
    const [before, name, after, behind] = lead(shown);
    text(byId("lead-before"), before);
    text(byId("lead-name"), name && format.name(name));
    text(byId("lead-after"), after);
    text(byId("lead-behind"), behind);
    const spoken = `${before}${name && format.name(name)}${after}`;
    byId("sentence").style.setProperty("--ems", app.measure.ems(spoken, 800));
    const words = `${spoken}. ${behind}`;
    document.title = `${spoken} · ElixirCoin`;
    if (words !== announced.words && Date.now() - announced.at >= ANNOUNCE) {
      announced = { words, at: Date.now() };
      text(byId("announce"), words);
    }
  }

  function showFigures(game) {
    text(byId("fig-coins"), format.grouped(game.coins));
    text(byId("fig-coins-unit"), game.coins === 1 ? "coin" : "coins");
    const [number, unit] = format.rate(game.hashes_per_second);
    text(byId("fig-rate"), number);
    text(byId("fig-rate-unit"), unit);
    text(byId("fig-finished"), format.amount(game.finished));
    text(byId("fig-luck"), game.luck === null ? "–" : format.percent(game.luck));
    const expected = game.luck === null ? "expected" : `${format.amount(Math.round(game.expected_coins))} expected`;
    text(byId("fig-luck-unit"), `of ${expected}`);
    text(byId("fig-workload"), game.workload === "auto" ? "auto" : format.amount(game.workload));
  }

  function showBanner(shown) {
    const banner = byId("banner");
    const words = {
      frozen: ["Frozen", `since ${format.clock(shown.freeze_at_seconds)}. Coins still count; all is revealed at ${format.clock(shown.ends_at_seconds)}.`],
      held: ["Time!", "The board is as it was at the freeze. The reveal starts in a moment."],
      final: ["Final", `as it stood at ${format.clock(shown.ends_at_seconds)}.`],
    }[shown.phase];
    banner.hidden = words === undefined;
    banner.dataset.phase = shown.phase;
    text(byId("banner-word"), words ? words[0] : "");
    text(byId("banner-text"), words ? words[1] : "");
    document.documentElement.dataset.phase = shown.phase;
    byId("reveal").hidden = shown.phase !== "held";
  }

  function showCountdown() {
    const element = byId("countdown");
    const ends = state && state.ends_at_seconds;
    element.hidden = !ends || state.phase === "final";
    if (element.hidden) return;
    text(byId("countdown-left"), format.countdown(ends - now()));
    text(byId("countdown-what"), "left");
  }

  /** Shows what is known. The charts cost the most and change the least: `all` draws them again too. */
  function redraw(all = true) {
    if (state === null) return;
    const shown = app.reveal.pass(state);
    if (curves !== null && curves !== shownCurves && !app.reveal.held()) {
      shownCurves = curves;
      all = true;
    }
    app.colours.colour((shownCurves?.miners ?? []).map((miner) => miner.name));
    showBanner(shown);
    showLead(shown);
    showFigures(shown.game);
    byId("board").classList.toggle("few", shown.miners.length <= FEW);
    app.kiosk.fit(shown.miners);
    app.ranks.show(shown.miners, shown.as_of_seconds, app.kiosk.visible, cursor !== undefined);
    const more = shown.game.miners - shown.miners.length;
    text(byId("ranks-note"), cursor === undefined ? app.ranks.summary(shown.miners, shown.as_of_seconds) + (more > 0 ? `, ${more} more` : "") : "");
    app.coins.show(shown.newest, shown.game.zeros, shown.as_of_seconds);
    app.strip.show(shown.strip, shown.game);
    if (all && shownCurves !== null) app.charts.show(shownCurves, cursor);
    showCountdown();
  }

  /** Shows what came last. */
  function follow(all = true) {
    ({ state, curves } = latest);
    redraw(all);
  }

  const page = {
    redraw,
    paused: () => paused,
    state(next) {
      latest.state = next;
      offset = next.at_seconds - Date.now() / 1000;
      if (!paused) follow(false);
    },
    history(next) {
      latest.curves = next;
      if (!paused) follow();
    },
    /** A replay's moment: a state, the curves, and the step at which the slider stands. */
    replay(next, history, at) {
      state = next;
      curves = history;
      cursor = at;
      redraw();
    },
    /** What the connection is: live, waiting, lost or none. */
    link(is, words) {
      byId("lamp").dataset.is = is;
      text(byId("link-text"), words);
    },
  };
  app.page = page;

  // Buttons and keys.

  function stored(key, value) {
    try {
      if (value !== undefined) localStorage.setItem(`pyerlcoin.${key}`, value);
      return localStorage.getItem(`pyerlcoin.${key}`);
    } catch {
      return null; // storage is a courtesy of the browser
    }
  }

  function theme(wanted) {
    const chosen = ["light", "dark"].includes(wanted) ? wanted : "auto";
    document.documentElement.dataset.theme = chosen;
    text(byId("theme"), `Theme: ${chosen}`);
    return chosen;
  }

  const actions = {
    pause() {
      if (cursor !== undefined) return; // nothing comes by itself
      paused = !paused;
      byId("pause").setAttribute("aria-pressed", String(paused));
      text(byId("pause"), paused ? "Go on" : "Pause");
      document.documentElement.classList.toggle("paused", paused);
      if (!paused) follow();
    },
    reveal: () => app.reveal.step(),
    theme() {
      const next = { auto: "light", light: "dark", dark: "auto" }[document.documentElement.dataset.theme];
      stored("theme", theme(next));
      redraw();
    },
    wall: () => app.kiosk.set(!app.kiosk.on()),
    full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen?.().catch(() => {});
    },
    help: () => byId("keys").showModal(),
  };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);

  const KEYS = { p: "pause", k: "wall", f: "full", t: "theme", r: "reveal", "?": "help" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    if (!byId("keys-on").checked) return;
    const paging = app.kiosk.on() && !(event.target instanceof HTMLInputElement); // else a slider's arrows
    if (paging && event.key === "ArrowRight") app.kiosk.turn(1);
    else if (paging && event.key === "ArrowLeft") app.kiosk.turn(-1);
    else if (KEYS[event.key]) actions[KEYS[event.key]]();
    else return;
    event.preventDefault();
  });
  byId("keys-on").checked = stored("keys") !== "off";
  byId("keys-on").addEventListener("change", (event) => stored("keys", event.target.checked ? "on" : "off"));

  // On the wall the tools show themselves while somebody moves the pointer, and after a tap.
  const { classList } = document.documentElement;
  let asleep = 0;
  let waking = false;
  function stir() {
    classList.add("stirred");
    clearTimeout(asleep);
    asleep = setTimeout(() => classList.remove("stirred"), 3000);
  }
  document.addEventListener("pointermove", stir);
  document.addEventListener("pointerdown", () => {
    waking = app.kiosk.on() && !classList.contains("stirred");
    stir();
  });
  // A tap that wakes them does no more, also where one of them appears beneath the finger. A key's click has no detail.
  document.addEventListener("click", (event) => {
    if (waking && event.detail > 0) event.stopPropagation();
    waking = false;
  }, true);

  let resizing = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(resizing);
    resizing = requestAnimationFrame(() => redraw());
  }).observe(document.documentElement);
  for (const id of ["race-details", "speed-details", "strip-details"]) byId(id).addEventListener("toggle", () => redraw());

  theme(options.get("theme") ?? stored("theme"));
  if (options.has("kiosk")) app.kiosk.set(true);
  setInterval(() => {
    showCountdown();
    if (!paused) app.kiosk.tick();
  }, 250);
})();
