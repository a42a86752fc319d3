// SPDX-License-Identifier: MIT
// Keys, filters, reading a chart, and following the bench live. Every page is complete without it.
"use strict";
const typing = (at) => at.matches("input, select, textarea");

// Filters: a row stays if it has all the words.
const filters = () => {
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const rows = [...document.querySelectorAll(`[data-filtered="${input.dataset.filter}"] tbody tr`)];
    const told = input.closest(".filter").querySelector("output");
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        left += !row.hidden;
      }
      told.textContent = words.length ? `${left} of ${rows.length}` : "";
    };
    input.closest(".filter").hidden = false;
    input.addEventListener("input", apply);
    apply();
  }
};

// A chart reads out the rows of the page's table of points.
const charts = () => {
  for (const box of document.querySelectorAll(".chart")) {
    const svg = box.querySelector("svg");
    const tip = box.querySelector(".tip");
    const spoken = box.querySelector("output");
    const rows = [...document.querySelectorAll("table.points tbody tr")].filter((row) => +row.dataset.x >= 0).reverse();
    if (!svg || !rows.length) continue;
    const mark = document.createElement("i");
    mark.className = "at";
    box.append(mark);
    mark.hidden = true;
    let at = -1;
    const show = (next) => {
      rows[at]?.classList.remove("here");
      at = next;
      tip.hidden = mark.hidden = at < 0;
      if (at < 0) return;
      const [when, run, image, value, remarks] = [...rows[at].cells].map((cell) => cell.textContent.trim());
      const scale = svg.clientWidth / svg.viewBox.baseVal.width;
      const x = rows[at].dataset.x * scale;
      mark.style.left = `${x}px`;
      mark.style.top = "0";
      mark.style.height = `${svg.clientHeight}px`;
      tip.textContent = [value, when, image, run, remarks].filter(Boolean).join("  ·  ");
      tip.style.top = `${Math.max(0, rows[at].dataset.y * scale - 44)}px`;
      tip.style.left = `${Math.min(Math.max(0, x - tip.offsetWidth / 2), box.clientWidth - tip.offsetWidth)}px`;
      spoken.textContent = tip.textContent;
      rows[at].classList.add("here");
    };
    const nearest = (event) => {
      const scale = svg.clientWidth / svg.viewBox.baseVal.width;
      const x = (event.clientX - svg.getBoundingClientRect().left) / scale;
      return rows.reduce((best, row, place) =>
        Math.abs(row.dataset.x - x) < Math.abs(rows[best].dataset.x - x) ? place : best, 0);
    };
    svg.addEventListener("mousemove", (event) => show(nearest(event)));
    svg.addEventListener("mouseleave", () => show(-1));
    svg.addEventListener("click", (event) => {
      const link = rows[nearest(event)].querySelector("a");
      if (link) location.href = link.href;
    });
    box.addEventListener("keydown", (event) => {
      const last = rows.length - 1;
      const start = at < 0 ? last + 1 : at;
      const to = { ArrowLeft: start - 1, ArrowRight: start + 1, Home: 0, End: last }[event.key];
      if (event.key === "Enter" && at >= 0) rows[at].querySelector("a").click();
      if (event.key === "Escape") show(-1);
      if (to === undefined) return;
      event.preventDefault();
      show(Math.min(last, Math.max(0, to)));
    });
  }
};

// Keys: g and a letter goes to a page, / goes to the filter.
let going = false;
document.addEventListener("keydown", (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (going) {
    going = false;
    const link = [...document.querySelectorAll("nav.site a[data-key]")].find((a) => a.dataset.key === event.key);
    if (link) location.href = link.href;
    return;
  }
  going = event.key === "g";
  const filter = document.querySelector("input[data-filter]");
  if (event.key === "/" && filter) {
    event.preventDefault();
    filter.focus();
  }
});

// Live: when the bench says that something changed, the page's content is fetched again and put in place, unless
// somebody is writing in it.
const follow = () => {
  const address = document.body.dataset.live;
  if (!address) return;
  const mark = document.querySelector(".live-mark");
  const source = new EventSource(address);
  let wanted = false;
  const refresh = async () => {
    const main = document.querySelector("main");
    if (document.hidden || (typing(document.activeElement) && main.contains(document.activeElement)) || main.querySelector(".act[open]")) {
      wanted = true;
      return;
    }
    wanted = false;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!fresh || fresh.innerHTML === main.innerHTML) return;
    const open = [...main.querySelectorAll("details")].map((one) => one.open);
    main.replaceWith(fresh);
    fresh.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? one.open; });
    filters();
    charts();
  };
  source.addEventListener("open", () => { mark.hidden = false; });
  source.addEventListener("error", () => { mark.hidden = true; });
  source.addEventListener("change", refresh);
  document.addEventListener("visibilitychange", () => { if (wanted) refresh(); });
  document.addEventListener("focusout", () => { if (wanted) setTimeout(refresh); });
};
filters();
charts();
follow();
