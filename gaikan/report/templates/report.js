"use strict";
// A page without this script is complete but for the images of parts; tables are not sorted.

const data = JSON.parse(document.getElementById("data").textContent);

function showPart(box, part) { // moves the sheet of images behind the box
  const { width, height, columns } = data.tile;
  const zoom = Math.max(1, Math.floor(96 / Math.max(width, height)));
  const column = part % columns, row = (part - column) / columns;
  box.style.width = `${width * zoom}px`;
  box.style.height = `${height * zoom}px`;
  box.style.backgroundSize = `${columns * width * zoom}px auto`;
  box.style.backgroundPosition = `${-column * width * zoom}px ${-row * height * zoom}px`;
}

for (const box of document.querySelectorAll("[data-part].part")) showPart(box, box.dataset.part);

// Tables: a click on a heading sorts, by number where the cells begin with one; again, backwards.
function sort(heading) {
  const table = heading.closest("table"), column = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [row, row.cells[column].textContent.trim()]);
  const numeric = rows.every(([, text]) => text === "" || !Number.isNaN(parseFloat(text)));
  const compare = (a, b) => (numeric ? parseFloat(a) - parseFloat(b) : a.localeCompare(b));
  rows.sort(([, a], [, b]) => (a === "" || b === "" ? (a === "") - (b === "")
    : compare(a, b) * (down ? -1 : 1)));
  table.tBodies[0].append(...rows.map(([row]) => row));
}

// Filter: a row stays where it has all the words.
function filter(field) {
  const wanted = field.value.toLowerCase().split(/\s+/);
  for (const row of field.closest(".sheet").querySelector("tbody").rows) {
    const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
  }
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button.parentElement));
}
for (const field of document.querySelectorAll(".filter input")) {
  field.addEventListener("input", () => filter(field));
}
document.getElementById("language").addEventListener("click", () => {
  const root = document.documentElement;
  root.lang = root.lang === "ja" ? "en" : "ja";
  const title = document.querySelector(`h1 [lang="${root.lang}"]`);
  if (title) document.title = title.textContent;
});
