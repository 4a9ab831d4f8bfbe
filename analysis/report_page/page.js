"use strict";
// Draws the charts of the page; everything about them was laid out when the page was made.
const charts = JSON.parse(document.getElementById("charts").textContent);
const settings = {
  responsive: true, displaylogo: false,
  modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"], // a frame of MLflow's allows no downloads
  showSendToCloud: false, plotlyServerURL: "", // by default a button would send the data away
};
// A finger that drags means to scroll, and buttons would lie on the legend of a narrow chart.
const finger = matchMedia("(pointer: coarse)").matches;
if (finger) settings.displayModeBar = false;
const narrow = matchMedia("(max-width: 760px)"); // as in the style sheet
const drawn = new Set();

function draw(id, layout) {
  drawn.add(id);
  const { data } = charts[id];
  Plotly.react(id, data, { ...layout, dragmode: finger ? false : "zoom" }, settings);
}
function drawForScreen(id) {
  draw(id, narrow.matches ? charts[id].narrow : charts[id].layout);
}

// What is folded is drawn once it is unfolded.
const isFolded = chart => chart.closest("details:not([open])") !== null;
function drawUnfolded(within) {
  for (const chart of within.querySelectorAll(".chart")) {
    if (!drawn.has(chart.id) && !isFolded(chart)) drawForScreen(chart.id);
  }
}
drawUnfolded(document);
document.addEventListener("toggle", event => drawUnfolded(event.target), true);
narrow.addEventListener("change", () => drawn.forEach(drawForScreen));

// A link that leads into what is folded unfolds it.
function unfold(hash) {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  if (target) drawUnfolded(document);
  return target;
}
document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='#']");
  if (!link) return;
  const target = unfold(link.hash);
  // MLflow shows artifacts in a sandboxed frame of a blob, where browsers refuse links within a page.
  if (location.protocol !== "blob:") return;
  event.preventDefault();
  target.scrollIntoView();
});
addEventListener("hashchange", () => unfold(location.hash)?.scrollIntoView());
if (location.hash) unfold(location.hash)?.scrollIntoView();

// On paper charts have the paper's width, and nothing stays folded.
const folded = [];
const paper = { width: 660, height: 280 };
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    folded.push(details);
  }
  for (const id of Object.keys(charts)) draw(id, { ...charts[id].layout, ...paper });
});
addEventListener("afterprint", () => {
  for (const details of folded.splice(0)) details.open = false;
  for (const id of Object.keys(charts)) {
    if (isFolded(document.getElementById(id))) drawn.delete(id); // for its next unfolding
    else drawForScreen(id);
  }
});
