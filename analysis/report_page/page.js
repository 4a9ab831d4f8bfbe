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
for (const [id, chart] of Object.entries(charts)) {
  Plotly.newPlot(id, chart.data, { ...chart.layout, dragmode: finger ? false : "zoom" }, settings);
}

// On paper charts have the paper's width, and nothing stays folded.
const folded = [];
addEventListener("beforeprint", () => {
  for (const id of Object.keys(charts)) Plotly.relayout(id, { width: 660, height: 400 });
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    folded.push(details);
  }
});
addEventListener("afterprint", () => {
  for (const id of Object.keys(charts)) Plotly.relayout(id, { width: null, height: null, autosize: true });
  for (const details of folded.splice(0)) details.open = false;
});

// MLflow shows artifacts in a sandboxed frame of a blob, where browsers refuse links within a page.
document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='#']");
  if (!link || location.protocol !== "blob:") return;
  event.preventDefault();
  document.getElementById(link.hash.slice(1)).scrollIntoView();
});
