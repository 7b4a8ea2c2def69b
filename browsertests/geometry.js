// What is wrong with the layout of the page, as texts: what runs out of the window, and texts that
// lie on each other. Everything that can be opened is opened first where arguments[0] is true.
if (arguments[0]) for (const each of document.querySelectorAll("details")) each.open = true;
for (const each of document.querySelectorAll(".group li")) each.style.contentVisibility = "visible";

const wrong = [];
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);

const lines = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (!node.data.trim() || node.parentElement.closest("script, style, title, option")) continue;
  if (!node.parentElement.checkVisibility({ visibilityProperty: true })) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  const scrolls = node.parentElement.closest(".wide-table") !== null;
  for (const box of range.getClientRects()) {
    if (box.width < 1) continue;
    const text = node.data.trim().slice(0, 40);
    if (!scrolls && (box.left < -1 || box.right > width + 1)) wrong.push(`out of the window: ${text}`);
    lines.push({ left: box.left + 1, right: box.right - 1, top: box.top + 3, bottom: box.bottom - 3, node, text, scrolls });
  }
}
lines.sort((one, other) => one.top - other.top);
lines.forEach((one, at) => {
  for (const other of lines.slice(at + 1)) {
    if (other.top >= one.bottom) break;
    if (one.node === other.node || one.scrolls !== other.scrolls) continue;
    if (one.left < other.right && other.left < one.right) wrong.push(`overlap: ${one.text} / ${other.text}`);
  }
});
return wrong;
