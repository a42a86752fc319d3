// SPDX-License-Identifier: MIT
// Searches a transcript in place. The page is complete without it.
"use strict";
for (const box of document.querySelectorAll(".console")) {
  const [query, only] = box.querySelectorAll(".find input");
  const count = box.querySelector("output");
  const lines = [...box.querySelectorAll(".lines p")];
  let found = [];
  let at = -1;
  box.querySelector(".find").hidden = false;

  const show = () => {
    count.textContent = query.value ? `${found.length ? at + 1 : 0} of ${found.length}` : "";
    lines.forEach((line) => line.classList.toggle("here", line === found[at]));
    if (found[at]) found[at].scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    const words = query.value.toLowerCase();
    found = words ? lines.filter((line) => line.textContent.toLowerCase().includes(words)) : [];
    const hits = new Set(found);
    for (const line of lines) {
      line.classList.toggle("hit", hits.has(line));
      line.hidden = only.checked && words !== "" && !hits.has(line);
    }
    at = found.length ? 0 : -1;
    show();
  };
  query.addEventListener("input", search);
  only.addEventListener("change", search);
  query.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !found.length) return;
    event.preventDefault();
    at = (at + (event.shiftKey ? found.length - 1 : 1)) % found.length;
    show();
  });
}
