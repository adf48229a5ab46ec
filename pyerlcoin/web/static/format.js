// Words and numbers as people read them. Everything here is pure.
(() => {
  "use strict";
  const app = (globalThis.pyerlcoin ??= {});

  const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];

  /** 1234567 -> ["1.23", "M"]; three digits that count, whatever the size. */
  function scaled(value) {
    if (!(value > 0)) return ["0", ""];
    let power = Math.min(Math.floor(Math.log10(value) / 3), PREFIXES.length - 1);
    if (power < 0) power = 0;
    let shown = value / 1000 ** power;
    if (shown >= 999.5 && power < PREFIXES.length - 1) {
      power += 1;
      shown = value / 1000 ** power;
    }
    if (shown >= 1e6) return [value.toExponential(2).replace("e+", "×10^"), ""];
    const digits = power === 0 && Number.isInteger(value) ? 0 : shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2;
    return [shown.toFixed(digits), PREFIXES[power]];
  }

  const rate = (value) => {
    const [number, prefix] = scaled(value);
    return [number, `${prefix}H/s`];
  };

  /** "12345678" -> "12,345,678": a string of digits of any length, which a Number might round. */
  const grouped = (digits) => String(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  /** A string of digits, exact while short, else with a prefix. */
  function amount(digits) {
    const text = String(digits);
    if (text.length <= 6) return grouped(text);
    if (text.length > 18) return `${text[0]}.${text.slice(1, 3)}×10^${text.length - 1}`;
    const [number, prefix] = scaled(Number(text));
    return `${number} ${prefix}`;
  }

  const percent = (part) => `${(part * 100).toFixed(part < 0.0995 ? 1 : 0)} %`;

  const coins = (count) => `${grouped(count)} ${count === 1 ? "coin" : "coins"}`;

  function span(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min`;
    if (whole < 172800) return `${Math.floor(whole / 3600)} h`;
    return `${Math.floor(whole / 86400)} days`;
  }

  /** Seconds -> "1:02:03" or "02:03". */
  function countdown(seconds) {
    const whole = Math.max(0, Math.ceil(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
  }

  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const timeExact = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const clock = (seconds) => time.format(new Date(seconds * 1000));
  const clockExact = (seconds) => timeExact.format(new Date(seconds * 1000));

  // Marks that turn the direction of what follows would reach beyond the name; controls have no shape at all.
  const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  const CONTROL = /\p{Cc}/gu;
  const INVISIBLE = /[\p{Z}\p{C}\p{M}\u115f\u1160\u2800\u3164\uffa0]/gu;

  /** A name as it may be shown: what it is, less what could disturb its neighbours. Only ever set as text. */
  function name(text) {
    const shown = String(text).replace(DIRECTION, "").replace(CONTROL, "\ufffd");
    return shown.replace(INVISIBLE, "") === "" ? "(a name of nothing visible)" : shown;
  }

  const byId = (id) => document.getElementById(id);

  /** Sets text only where it changes, so that nothing is laid out, or spoken, again for nothing. */
  function text(element, value) {
    const shown = String(value);
    if (element.textContent !== shown) element.textContent = shown;
  }

  function make(tag, className, content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (content !== undefined) element.textContent = content;
    return element;
  }

  // Which colour belongs to whom: the leaders of the curves, and they keep it while they lead.
  const SLOTS = 8;
  const slots = new Map();

  /** Gives each of `names` one of the eight colours, and takes it from those who are no longer among them. */
  function colour(names) {
    for (const known of slots.keys()) if (!names.includes(known)) slots.delete(known);
    for (const one of names.slice(0, SLOTS)) {
      if (slots.has(one)) continue;
      const taken = new Set(slots.values());
      for (let slot = 1; slot <= SLOTS; slot += 1) {
        if (!taken.has(slot)) {
          slots.set(one, slot);
          break;
        }
      }
    }
  }

  /** 1 to 8, or 0 for all the others. */
  const slot = (one) => slots.get(one) ?? 0;

  app.format = { scaled, rate, grouped, amount, percent, coins, span, countdown, clock, clockExact, name };
  app.dom = { byId, text, make };
  app.colours = { colour, slot };
})();
