"use strict";

// Charts: the specifications stand in the page as JSON. The interpreter (ast) needs no eval, which
// the page's policy forbids.
for (const holder of document.querySelectorAll("script[data-chart]")) {
  const target = document.getElementById(holder.dataset.chart);
  const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
  vegaEmbed(target, JSON.parse(holder.textContent), options).then(
    () => target.setAttribute("data-drawn", ""),
    (error) => { target.textContent = `The chart could not be drawn: ${error.message}`; },
  );
}

const table = document.getElementById("findings");

function key(row, column) {
  const cell = row.cells[column];
  return cell.dataset.key ?? cell.textContent;
}

function sort(header, column) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => key(one, column).localeCompare(key(other, column), "en", { numeric: true }));
  if (descending) rows.reverse();
  table.tBodies[0].append(...rows);
}

function filter(wanted) {
  for (const row of table.tBodies[0].rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted.toLowerCase());
  }
}

if (table !== null) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    header.firstElementChild.addEventListener("click", () => sort(header, column));
  });
  document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
}

// A link from the table opens the details that it points to.
function open() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

window.addEventListener("hashchange", open);
open();
