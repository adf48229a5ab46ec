// A page that is a file: the final board, and a slider through the evening that led to it.
(() => {
  "use strict";
  const { page, format } = globalThis.pyerlcoin;
  const { byId, text, make } = globalThis.pyerlcoin.dom;
  const { state, history } = JSON.parse(byId("evening").textContent);
  const CURVES = 8;
  const last = Math.max(history.coins.length - 1, 0);
  const moment = (step) => Math.min(history.start_seconds + (step + 1) * history.step_seconds, history.end_seconds);

  /** The board as it stood at a step; the last one is all that is known. */
  function at(step) {
    if (step === last) return { ...state, phase: state.phase === "open" ? "ended" : state.phase };
    const total = history.coins[step];
    const ranked = history.miners
      .map((miner, order) => ({ name: miner.name, coins: miner.coins[step], order }))
      .sort((a, b) => b.coins - a.coins || a.order - b.order);
    const blank = { hashes_per_second: 0, luck: null, last_coin_at_seconds: null, asked_at_seconds: null, present: true };
    return {
      ...state,
      at_seconds: moment(step),
      as_of_seconds: moment(step),
      phase: "replay",
      miners: ranked.map((miner, index) => ({ ...blank, ...miner, rank: index + 1, share: total ? miner.coins / total : 0 })),
      game: { ...state.game, coins: total, hashes_per_second: history.hashes_per_second[step] ?? 0 },
    };
  }

  const section = byId("replay");
  const label = make("label", "", "The evening ");
  const output = make("output");
  const slider = make("input");
  Object.assign(slider, { type: "range", id: "slider", min: 0, max: last, step: 1, value: last });
  label.htmlFor = "slider";
  label.append(output);
  section.append(label, slider);
  section.hidden = last === 0;

  function show() {
    const step = Number(slider.value);
    const words = step === last ? `at its end, ${format.clock(history.end_seconds)}` : `at ${format.clockExact(moment(step))}`;
    text(output, words);
    slider.setAttribute("aria-valuetext", words);
    document.documentElement.classList.toggle("past", step !== last);
    page.replay(at(step), { ...history, miners: history.miners.slice(0, CURVES) }, step);
  }

  slider.addEventListener("input", show);
  const day = new Date(history.start_seconds * 1000).toLocaleDateString("en-GB", { dateStyle: "long" });
  page.link("none", `Final board, ${day}, ${format.clock(history.start_seconds)} to ${format.clock(history.end_seconds)}`);
  document.documentElement.classList.add("file");
  // Over a whole evening a speed is an average.
  text(document.querySelector(".head .c-rate"), "Average");
  text(byId("fig-rate-name"), "Average speed");
  show();
})();
