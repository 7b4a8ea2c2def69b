"use strict";

// The page is complete without this: it adds a filter, an order and buttons that copy.
const controls = document.getElementById("controls");

function texts(row) {
  return row.querySelector("summary").textContent.toLowerCase();
}

function filter(rows, groups) {
  const wanted = document.getElementById("filter").value.toLowerCase();
  for (const row of rows) row.hidden = !texts(row).includes(wanted);
  const left = rows.filter((row) => !row.hidden).length;
  document.getElementById("matches").textContent = wanted ? `${left} of ${rows.length}` : "";
  for (const group of groups) group.hidden = !group.querySelector("li[data-rank]:not([hidden])");
}

// In any order but that of the evidence, all rows stand in the first list, without headings.
function sort(rows, groups, lists) {
  const by = document.getElementById("sort").value;
  const key = (row) => row.dataset[by];
  const sorted = [...rows].sort(
    (one, other) => key(one).localeCompare(key(other), "en", { numeric: true }) || one.dataset.rank - other.dataset.rank,
  );
  if (by === "events") sorted.reverse();
  for (const row of sorted) (by === "rank" ? lists.get(row) : lists.get(rows[0])).append(row);
  for (const group of groups) group.querySelector("h3").hidden = by !== "rank";
}

if (controls !== null) {
  const rows = [...document.querySelectorAll("li[data-rank]")];
  const groups = [...document.querySelectorAll(".group")];
  const lists = new Map(rows.map((row) => [row, row.parentNode]));
  for (const row of rows) row.classList.add(lists.get(row).parentNode.classList[1]);
  controls.hidden = false;
  controls.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("filter").addEventListener("input", () => filter(rows, groups));
  document.getElementById("sort").addEventListener("change", () => {
    sort(rows, groups, lists);
    filter(rows, groups);
  });
}

for (const holder of document.querySelectorAll(".copies")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(holder.querySelector("code").textContent);
    button.textContent = "Copied";
  });
  holder.append(" ", button);
}
