// SPDX-License-Identifier: MIT
// Lets one look closer at a timeline: wheel, drag, keys. The page is complete without it: it takes the place of
// the still drawing, of which it keeps the colours. All boards are looked at together. However many events
// there are, at most some thousand shapes are drawn: where marks would touch they become bars of their number.
{
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 1056, LEFT = 64, RIGHT = 8, TOP = 30, STEP = 28, UART = 44, AXIS = 30;
  const INNER = WIDTH - LEFT - RIGHT;
  const SHORTEST = 20; // microseconds
  const MOST = 350; // marks of a row that are drawn one by one
  const BIN = 3;
  const NEAR = 5;

  const shape = (name, facts, words) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(facts)) made.setAttribute(key, value);
    if (words !== undefined) made.textContent = words;
    return made;
  };
  const first = (list, value, of = (item) => item) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (of(list[middle]) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const seconds = (us, step) => `${(us / 1e6).toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / 1e6)))))} s`;
  const length = (us) => us >= 1e6 ? `${(us / 1e6).toPrecision(3)} s` : us >= 1e3 ? `${(us / 1e3).toPrecision(3)} ms` : `${Math.round(us)} µs`;
  const stepOf = (range) => {
    const rough = range / 10, power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  };

  const charts = [];
  const whole = { from: 0, to: 0 };
  const view = { from: 0, to: 0 };
  let due = false;
  const x = (us) => LEFT + INNER * (us - view.from) / (view.to - view.from);
  const at = (px) => view.from + (px - LEFT) / INNER * (view.to - view.from);

  const look = (from, to) => {
    const range = Math.max(SHORTEST, Math.min(to - from, whole.to));
    view.from = Math.max(0, Math.min(from, whole.to - range));
    view.to = view.from + range;
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      charts.forEach((chart) => chart.draw());
    });
  };
  const zoom = (factor, around = (view.from + view.to) / 2) =>
    look(around - (around - view.from) * factor, around + (view.to - around) * factor);
  const move = (share) => {
    const by = share * (view.to - view.from);
    const from = Math.max(0, Math.min(view.from + by, whole.to - (view.to - view.from)));
    look(from, from + view.to - view.from);
  };

  class Chart {
    constructor(box, content) {
      this.box = box;
      this.lanes = content.lanes;
      this.rowOf = new Map();
      for (const lane of this.lanes)
        for (const row of lane.rows) {
          let sum = 0;
          row.t = row.t.map((step) => (sum += step));
        }
      this.lanes.forEach((lane, n) => (lane.y = TOP + STEP * n + (lane.name === "UART" ? 8 : 0)));
      this.base = this.lanes.at(-1).y + UART - 14;
      this.svg = shape("svg", { class: "time live", viewBox: `0 0 ${WIDTH} ${this.base + AXIS}`, role: "img" });
      this.svg.setAttribute("aria-label", box.querySelector("svg").getAttribute("aria-label"));
      box.querySelector("svg").replaceWith(this.svg);
      this.tip = box.parentElement.querySelector(".tip");
      this.told = box.parentElement.querySelector("output");
      this.listen();
    }

    draw() {
      const shapes = [];
      const faults = this.lanes.find((lane) => lane.name === "faults");
      for (const span of faults ? this.seen(faults.spans) : [])
        shapes.push(this.rect(span[0], span[0] + span[1], 0, this.base, "bad-soft"));
      let count = 0;
      for (const lane of this.lanes) {
        shapes.push(shape("line", { x1: LEFT, y1: lane.y, x2: WIDTH - RIGHT, y2: lane.y, stroke: "var(--hair)" }));
        shapes.push(shape("text", { x: 0, y: lane.y + 4, fill: "var(--muted)" }, lane.name));
        count += this.spans(lane, shapes);
        for (const row of lane.rows) count += this.marks(lane, row, shapes);
      }
      this.axis(shapes);
      this.svg.replaceChildren(...shapes);
      const step = stepOf(view.to - view.from) / 10;
      this.told.textContent = `${seconds(view.from, step)} … ${seconds(view.to, step)} (${length(view.to - view.from)}): ${count.toLocaleString("en")} events`;
    }

    seen(spans) {
      return spans.filter((span) => span[0] <= view.to && span[0] + span[1] >= view.from);
    }

    rect(from, to, y, height, colour) {
      const left = Math.max(LEFT, x(from)), right = Math.min(WIDTH - RIGHT, x(to));
      return shape("rect", { x: left.toFixed(2), y, width: Math.max(1.2, right - left - 0.6).toFixed(2), height, fill: `var(--${colour})` });
    }

    spans(lane, shapes) {
      const half = lane.name === "cases" ? 7 : 4;
      const there = this.seen(lane.spans);
      let free = 0, group = "", last = -9;
      for (const [begin, long, colour, words, suite] of there) {
        const left = x(begin), wide = INNER * long / (view.to - view.from);
        const plain = wide < 0.5 && left - last < 0.8 && colour === "good";
        if (!plain) {
          shapes.push(this.rect(begin, begin + long, lane.y - half, 2 * half, colour));
          last = left;
        }
        const own = lane.name === "cases" ? words.slice(words.indexOf("/") + 1, words.lastIndexOf(":")) : words;
        const name = wide > 60 && lane.name !== "power" ? own : suite !== group ? suite : "";
        group = suite;
        const start = Math.max(LEFT, left);
        if (!name || start < free || start > WIDTH - 40) continue;
        const room = Math.floor(Math.min(WIDTH - start, wide > 60 ? Math.min(wide, x(begin + long) - start) : 150) / 6);
        if (room < 6) continue;
        const shown = name.length > room ? `${name.slice(0, room - 1)}…` : name;
        shapes.push(shape("text", { x: start.toFixed(1), y: lane.y - half - 5, fill: "var(--muted)" }, shown));
        free = start + 6.5 * shown.length + 8;
      }
      return there.length;
    }

    marks(lane, row, shapes) {
      const from = first(row.t, view.from), to = first(row.t, view.to + 1);
      const n = to - from, fill = `var(--${row.colour})`;
      if (n > MOST && row.colour !== "bad") {
        this.bars(lane, row, from, to, fill, shapes);
        return n;
      }
      const up = lane.name === "UART" ? 15 : 6;
      const tall = row.colour === "bad" || row.colour === "bar-tick" && row.side === 0 ? 9 : up;
      let path = "";
      for (let i = from, last = -1; i < to; i++) {
        const left = x(row.t[i]) - 0.8;
        if (left - last < 0.4) continue;
        last = left;
        const begin = row.side < 0 ? lane.y - tall : row.side > 0 ? lane.y : lane.y - tall;
        path += `M${left.toFixed(2)} ${begin}h1.6v${row.side ? tall : 2 * tall}h-1.6z`;
      }
      if (path) shapes.push(shape("path", { d: path, fill }));
      return n;
    }

    bars(lane, row, from, to, fill, shapes) {
      const counts = [];
      let most = 1;
      for (let px = LEFT, i = from; px < WIDTH - RIGHT; px += BIN) {
        const next = first(row.t, at(px + BIN));
        counts.push(next - i);
        most = Math.max(most, next - i);
        i = next;
      }
      const high = lane.name === "UART" ? 18 : 9;
      let path = "";
      counts.forEach((n, place) => {
        const up = (2 + high * Math.sqrt(n / most)).toFixed(1);
        if (n) path += `M${LEFT + place * BIN} ${lane.y}h2.4v${row.side > 0 ? up : -up}h-2.4z`;
      });
      shapes.push(shape("path", { d: path, fill }));
    }

    axis(shapes) {
      shapes.push(shape("line", { x1: LEFT, y1: this.base, x2: WIDTH - RIGHT, y2: this.base, stroke: "var(--faint)" }));
      const step = stepOf(view.to - view.from);
      for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
        const px = x(us);
        shapes.push(shape("line", { x1: px, y1: this.base, x2: px, y2: this.base + 4, stroke: "var(--faint)" }));
        const anchor = px > WIDTH - 40 ? "end" : "middle";
        shapes.push(shape("text", { x: px, y: this.base + 16, fill: "var(--muted)", "text-anchor": anchor }, seconds(us, step)));
      }
    }

    // What is at a place of the drawing, in words; empty for nothing.
    under(px, y) {
      const lane = this.lanes.reduce((near, one) => Math.abs(one.y - y) < Math.abs(near.y - y) ? one : near);
      const us = at(px), reach = NEAR / INNER * (view.to - view.from);
      let best = "", far = reach;
      for (const row of lane.rows) {
        if (row.side < 0 && y > lane.y + 3 || row.side > 0 && y < lane.y - 3) continue;
        const from = first(row.t, us - reach), to = first(row.t, us + reach);
        const seen = first(row.t, view.to + 1) - first(row.t, view.from);
        if (to - from > 1 && seen > MOST) {
          best = best || `${(to - from).toLocaleString("en")} at about ${seconds(us, stepOf(reach))}; come closer to read them`;
          continue;
        }
        for (let i = from; i < to; i++) {
          const away = Math.abs(row.t[i] - us);
          if (away > far) continue;
          far = away;
          best = `${(row.t[i] / 1e6).toFixed(6)} s  ${row.x[i] ?? "its words are in the run's folder"}`;
        }
      }
      if (best) return best;
      const span = [...lane.spans].reverse().find(([begin, long]) => begin - reach / 3 <= us && us <= begin + long + reach / 3);
      return span ? `${(span[0] / 1e6).toFixed(6)} s + ${length(span[1])}  ${span[3]}` : "";
    }

    place(event) {
      const box = this.svg.getBoundingClientRect();
      const scale = WIDTH / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    }

    point(event) {
      const words = this.under(...this.place(event));
      this.tip.hidden = !words;
      if (!words) return;
      this.tip.textContent = words;
      const frame = this.box.parentElement.getBoundingClientRect();
      const left = event.clientX - frame.left + 12;
      this.tip.style.left = `${Math.max(0, Math.min(left, frame.width - this.tip.offsetWidth - 4))}px`;
      this.tip.style.top = `${event.clientY - frame.top + 16}px`;
    }

    listen() {
      let drag = null;
      this.svg.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && document.activeElement !== this.box) return;
        event.preventDefault();
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / 1000);
        else zoom(1.0015 ** event.deltaY, at(this.place(event)[0]));
      }, { passive: false });
      this.svg.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        drag = { px: this.place(event)[0], from: view.from, to: view.to, chosen: event.shiftKey };
        this.svg.setPointerCapture(event.pointerId);
        this.box.focus({ preventScroll: true });
      });
      this.svg.addEventListener("pointermove", (event) => {
        if (!drag) return this.point(event);
        const [px] = this.place(event);
        if (drag.chosen) return this.choose(drag.px, px);
        const by = (drag.px - px) / INNER * (drag.to - drag.from);
        const from = Math.max(0, Math.min(drag.from + by, whole.to - (drag.to - drag.from)));
        look(from, from + drag.to - drag.from);
        this.tip.hidden = true;
      });
      const ended = (event) => {
        if (drag && drag.chosen) {
          const [px] = this.place(event);
          const [from, to] = [at(Math.min(px, drag.px)), at(Math.max(px, drag.px))];
          if (Math.abs(px - drag.px) > 3) look(from, to);
          else charts.forEach((chart) => chart.draw());
        }
        drag = null;
      };
      this.svg.addEventListener("pointerup", ended);
      this.svg.addEventListener("pointercancel", () => (drag = null));
      this.svg.addEventListener("pointerleave", () => (this.tip.hidden = true));
      this.svg.addEventListener("dblclick", (event) => zoom(0.25, at(this.place(event)[0])));
      this.box.addEventListener("keydown", (event) => {
        const act = KEYS[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        act();
      });
    }

    choose(one, other) {
      this.svg.querySelector(".chosen")?.remove();
      const made = shape("rect", { class: "chosen", x: Math.min(one, other), y: 0, width: Math.abs(one - other), height: this.base, fill: "var(--bar)", opacity: 0.25 });
      this.svg.append(made);
    }
  }

  const KEYS = {
    ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15), PageUp: () => move(-0.9), PageDown: () => move(0.9),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, whole.to),
    Home: () => look(0, view.to - view.from), End: () => look(whole.to - (view.to - view.from), whole.to),
  };

  for (const part of document.querySelectorAll(".when")) {
    const data = part.querySelector("template");
    if (!data) continue;
    const content = JSON.parse(data.content.textContent);
    whole.to = Math.max(whole.to, content.end);
    charts.push(new Chart(part.querySelector(".scroll"), content));
    const tools = part.querySelector(".tools");
    tools.hidden = false;
    const [nearer, farther, all] = tools.querySelectorAll("button");
    nearer.addEventListener("click", () => zoom(0.5));
    farther.addEventListener("click", () => zoom(2));
    all.addEventListener("click", () => look(0, whole.to));
  }
  if (charts.length) look(0, whole.to);
}
