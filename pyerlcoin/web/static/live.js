// Follows the server by its events, for as long as the page is open.
(() => {
  "use strict";
  const { page } = globalThis.pyerlcoin;
  const PATIENCE = 40000; // the server says something every 15 s
  const LONGEST = 15000;

  let source = null;
  let heard = Date.now();
  let delay = 1000;
  let timer = 0;

  function lost() {
    page.link("lost", "Connection lost, trying again");
  }

  function open() {
    clearTimeout(timer);
    source?.close();
    heard = Date.now();
    source = new EventSource("api/events");
    source.addEventListener("open", () => {
      heard = Date.now();
      delay = 1000;
      page.link("live", "Live");
    });
    const on = (kind, show) =>
      source.addEventListener(kind, (event) => {
        heard = Date.now();
        show(JSON.parse(event.data));
      });
    on("state", page.state);
    on("history", page.history);
    on("alive", () => {});
    source.addEventListener("error", () => {
      lost();
      // A refused connection is for good unless we ask anew; a broken one mends itself.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(open, delay + Math.random() * 1000);
        delay = Math.min(delay * 2, LONGEST);
      }
    });
  }

  open();
  setInterval(() => {
    if (Date.now() - heard > PATIENCE) {
      lost();
      open();
    }
  }, 5000);
})();
