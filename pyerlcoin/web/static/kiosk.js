// The wall: as many miners as can be read from the back of the room, the leaders on every page.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const { byId, text } = app.dom;

  const PINNED = 3;
  const PAGE_SECONDS = 8;
  const LINE = 1.55; // of a row's type
  const SMALLEST = 0.034; // of the screen's shorter side: what is read from eight of them away
  const LARGEST = 0.075;
  const WIDE = 9.4; // ems of a row besides coins and name: rank, share, speed, and what is between
  const NARROW = 3.5; // and of one in two columns, where there is a rank only
  const NAME = [6.9, 12]; // ems for the longest name, which shall be shown whole where the type stays large
  const INITIALS = 4; // ems that are left for a name however narrow the screen is

  let on = false;
  let page = 0;
  let pages = 1;
  let perPage = Infinity;
  let turned = Date.now();

  /** Chooses rows, columns and type for `miners`. */
  function fit(miners) {
    const count = miners.length;
    const box = byId("ranks-box");
    if (!on) {
      for (const name of ["--rows", "--columns", "--row-type"]) box.style.removeProperty(name);
      delete box.dataset.columns;
      perPage = Infinity;
      pages = 1;
    } else {
      const side = Math.min(innerHeight, innerWidth);
      const room = box.clientHeight;
      const smallest = Math.max(side * SMALLEST, 16);
      const fits = Math.max(Math.floor(room / (smallest * LINE)), PINNED + 1);
      const single = fits - 1; // a row for the headings
      const columns = count <= single ? 1 : 2;
      const rows = columns === 1 ? Math.max(count, 1) : Math.min(fits, Math.ceil(count / 2));
      const name = Math.min(Math.max(NAME[0], ...miners.map((miner) => app.ranks.nameWidth(miner.name))), NAME[1]);
      const coins = app.ranks.numberWidth(count ? miners[0].coins : 0);
      const wide = (ems) => box.clientWidth / columns / ((columns === 1 ? WIDE : NARROW) + coins + ems);
      const most = Math.min(room / (columns === 1 ? rows + 1 : rows) / LINE, side * LARGEST);
      const type = Math.min(most, Math.max(wide(name), Math.min(smallest, wide(INITIALS))));
      box.style.setProperty("--rows", rows);
      box.style.setProperty("--columns", columns);
      box.style.setProperty("--row-type", `${type}px`);
      box.dataset.columns = columns;
      perPage = columns === 1 ? count : rows * 2;
      pages = count <= perPage ? 1 : Math.ceil((count - PINNED) / (perPage - PINNED));
    }
    page = Math.min(page, pages - 1);
    const pager = byId("pager");
    pager.hidden = pages === 1;
    text(pager, `page ${page + 1} of ${pages}`);
  }

  /** Whether the miner at this place of the ranking is on the page. */
  function visible(index) {
    if (pages === 1 || index < PINNED) return true;
    return Math.floor((index - PINNED) / (perPage - PINNED)) === page;
  }

  function turn(by) {
    turned = Date.now();
    if (pages === 1) return;
    page = (page + by + pages) % pages;
    app.page.redraw();
  }

  /** Turns the page when its time is over. */
  function tick() {
    if (on && pages > 1 && Date.now() - turned >= PAGE_SECONDS * 1000) turn(1);
  }

  function set(wanted) {
    on = wanted;
    page = 0;
    turned = Date.now();
    document.documentElement.classList.toggle("kiosk", on);
    byId("wall").setAttribute("aria-pressed", String(on));
    const url = new URL(location.href);
    if (on) url.searchParams.set("kiosk", "");
    else url.searchParams.delete("kiosk");
    if (location.protocol !== "file:") history.replaceState(null, "", url.href.replace("kiosk=", "kiosk"));
    if (app.page) app.page.redraw();
  }

  app.kiosk = { fit, visible, turn, tick, set, on: () => on };
})();
