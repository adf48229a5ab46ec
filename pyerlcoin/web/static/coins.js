// The newest coins, each with its digest and the zeros that make it one.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { format, colours } = app;
  const { byId, text, make } = app.dom;

  const items = new Map(); // what makes a coin -> {item, ago}

  /** The same integer may come again: of another game, whose server took this one's place. */
  const key = (coin) => `${coin.n} ${coin.digest} ${coin.miner}`;

  function build(coin, zeros) {
    const item = make("li", "coin");
    const line = make("p", "coin-line");
    const who = make("bdi", "who", format.name(coin.miner));
    const ago = make("span", "ago");
    line.append(who, make("span", "coin-n", format.grouped(coin.n)), ago);
    const digest = make("p", "digest");
    digest.append(make("mark", "zeros", coin.digest.slice(0, zeros)), make("span", "", coin.digest.slice(zeros)));
    item.append(line, digest);
    item.dataset.slot = colours.slot(coin.miner);
    return { item, ago };
  }

  function show(newest, zeros, now) {
    const list = byId("coins");
    const wanted = new Set(newest.map(key));
    for (const [one, parts] of items) {
      if (!wanted.has(one)) {
        parts.item.remove();
        items.delete(one);
      }
    }
    newest.forEach((coin, index) => {
      let parts = items.get(key(coin));
      if (!parts) {
        parts = build(coin, zeros);
        items.set(key(coin), parts);
      }
      text(parts.ago, `${format.span(now - coin.at_seconds)} ago`);
      if (list.children[index] !== parts.item) list.insertBefore(parts.item, list.children[index] ?? null);
    });
    byId("coins-empty").hidden = newest.length > 0;
    text(byId("newest-note"), `${zeros} zeros make a coin`);
  }

  app.coins = { show };
})();
