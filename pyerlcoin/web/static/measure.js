// How wide a text will be, without laying it out.
(() => {
  "use strict";
  const app = globalThis.pyerlcoin;
  const SIZE = 100;
  const canvas = document.createElement("canvas").getContext("2d");

  /** The width of `text` in ems of the page's letters. Digits are as wide as the widest, so a count keeps its width. */
  function ems(text, weight = 400) {
    canvas.font = `${weight} ${SIZE}px ${getComputedStyle(document.documentElement).fontFamily}`;
    return canvas.measureText(String(text).replace(/\d/g, "0")).width / SIZE;
  }

  /** As much of `text` as `room` ems hold, with an ellipsis where some is left out. */
  function fit(text, room, weight = 400) {
    if (ems(text, weight) <= room) return text;
    const letters = [...text];
    while (letters.length && ems(`${letters.join("")}…`, weight) > room) letters.pop();
    return `${letters.join("")}…`;
  }

  app.measure = { ems, fit };
})();
