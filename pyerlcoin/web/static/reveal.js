// Frozen, then over, then revealed: from the last place up, each miner gets its final coins and moves to its place.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const ONE_BY_ONE = 10; // places revealed singly; those below come at once
  const STEP = 1600; // milliseconds: time for a row to move and a room to shout
  const PATIENCE = 10000; // a wall without a keyboard starts by itself

  const hold = new URLSearchParams(location.search).get("reveal") === "hold";
  let frozen = null; // the last state that was frozen
  let final = null;
  let revealed = new Set();
  let held = false; // the end is known and not shown yet
  let timer = 0;

  /** What is on show while the end is held back: revealed miners with their final coins, the others as they were. */
  function mixed() {
    const before = new Map(frozen.miners.map((miner) => [miner.name, miner]));
    const miners = final.miners.map((miner) => (revealed.has(miner.name) ? miner : before.get(miner.name) ?? { ...miner, coins: 0 }));
    miners.sort((a, b) => b.coins - a.coins || a.rank - b.rank);
    const total = miners.reduce((sum, miner) => sum + miner.coins, 0);
    const ranked = miners.map((miner, index) => ({ ...miner, rank: index + 1, share: total ? miner.coins / total : 0 }));
    return { ...frozen, phase: "held", at_seconds: final.at_seconds, miners: ranked };
  }

  function step() {
    clearTimeout(timer);
    if (!held) return;
    const waiting = mixed().miners.filter((miner) => !revealed.has(miner.name));
    if (revealed.size === 0) waiting.slice(ONE_BY_ONE).forEach((miner) => revealed.add(miner.name));
    const next = waiting.slice(0, ONE_BY_ONE).at(-1);
    if (next) revealed.add(next.name);
    if (waiting.length <= 1) held = false;
    else timer = setTimeout(go, STEP);
    app.page.redraw();
  }

  /** By itself; on a paused page only the key goes on. */
  function go() {
    if (app.page.paused()) timer = setTimeout(go, STEP);
    else step();
  }

  /** The state to show in place of the one that came. */
  function pass(state) {
    if (state.phase === "frozen") {
      frozen = state;
      final = null;
    } else if (state.phase === "final" && frozen !== null) {
      if (final === null) {
        held = true;
        revealed = new Set();
        clearTimeout(timer);
        if (!hold) timer = setTimeout(go, PATIENCE);
      }
      final = state;
    } else {
      frozen = null;
      held = false;
    }
    return held ? mixed() : state;
  }

  app.reveal = { pass, step, held: () => held };
})();
