"use strict";
// The controls, and what they show in words.
const sweeps = JSON.parse(document.getElementById("sweeps").textContent).map(unpacked);
const element = id => document.getElementById(id);
const say = (id, text) => { element(id).textContent = text; };
const NONE = "–";

let sweep = sweeps[0], box = null;
const at = { value: sweep.baseline ?? 0, seed: 0, layer: 0, point: null };
const times = []; // ms of every step

function choose(number) {
  sweep = sweeps[number];
  Object.assign(at, { value: sweep.baseline ?? 0, seed: Math.min(at.seed, sweep.seeds.length - 1), layer: 0, point: null });
  say("label", sweep.label);
  element("value").max = sweep.values.length - 1;
  element("value").value = at.value;
  options("seed", sweep.seeds.map(seed => `seed ${seed}`), at.seed);
  options("layer", sweep.shapes.map((_, layer) => layerName(sweep, layer)), at.layer);
  const items = sweep.classes.map((name, number) => {
    const item = document.createElement("li"), sign = document.createElement("canvas");
    sign.dataset.kind = number;
    sign.setAttribute("aria-hidden", "true");
    item.append(sign, ` ${name}`);
    return item;
  });
  element("classes").replaceChildren(...items);
  captions();
  show();
}

function options(id, texts, chosen) {
  element(id).replaceChildren(...texts.map((text, place) => new Option(text, place, false, place === chosen)));
}

function captions() {
  const seeds = sweep.of_seeds, several = seeds > 1, own = sweep.seeds.length;
  const lines = [...sweep.notes];
  if (sweep.partial) lines.unshift(sweep.partial);
  lines.push(`Accuracies: ${sweep.window}; weights and decisions: after the last epoch.`);
  lines.push("A weight is near zero under a thousandth of its layer's largest.");
  lines.push("All steps of the slider and of the axes below the lines are equally wide, whatever lies between the values.");
  if (own < seeds) lines.push(`Of ${seeds} seeds the first ${own} can be chosen; bands, colours and means are of all.`);
  if (sweep.values.length < sweep.of_values) lines.push(`${sweep.values.length} of ${sweep.of_values} values, spread evenly.`);
  element("notes").replaceChildren(...lines.map(text => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  say("decision-about", `${several ? `Colour: which share of the ${seeds} seeds' networks decides for each class; mixed where they disagree. ` : ""}Line: where the chosen network changes its decision. Points: all rows of the data. Plane: ${sweep.plane.about}`);
  const { low, cut } = accuracyRange(sweep, at.seed);
  say("accuracy-about", `Full line: test; dashed: training; ${several ? `mean of ${seeds} seeds, band: ${sweep.method}` : "one seed: no interval"}. Rings and diamonds: the chosen network.${cut ? ` What is below ${low.toFixed(1)} % lies below the picture; the table has its numbers.` : ""}`);
  say("heat-about", `Each column is a hidden unit${sweep.shapes.length === 2 ? ", the same above and below" : ""}. Hidden units of different seeds are not the same units, so there is no mean to show: choose another network to see how seeds differ. Colours mean the same at every value.`);
  const [outputs, inputs] = sweep.shapes[at.layer], stride = Math.ceil(outputs * inputs / MOST_PATHS);
  say("path-about", `Lines: ${stride > 1 ? `every ${stride}th of the ${outputs * inputs}` : `all ${outputs * inputs}`} weights of the chosen network, by their sign at the first value.${several ? ` Band: nine tenths of the weights of all ${seeds} seeds.` : ""}`);
}

function show() {
  const start = performance.now(), ink = colours(), { value, seed } = at;
  box = drawDecision(element("decision"), sweep, at, ink);
  drawAccuracy(element("accuracy"), sweep, at, ink);
  drawHeat(element("heat"), sweep, at, ink);
  drawPath(element("path"), sweep, at, ink);
  for (const sign of document.querySelectorAll("#classes canvas")) {
    const { pen } = opened(sign), kind = Number(sign.dataset.kind);
    symbol(pen, kind, 8, 8, 5.5);
    pen.fillStyle = ink.classes[kind % ink.classes.length];
    pen.fill();
  }
  tell(value, seed);
  times.push(performance.now() - start);
  const sorted = [...times].sort((a, b) => a - b), middle = sorted[Math.floor(sorted.length / 2)];
  say("speed", `Drawn in ${times.at(-1).toFixed(1)} ms (median of ${times.length}: ${middle.toFixed(1)} ms).`);
}

function tell(value, seed) {
  const { words, n, of_seeds: own } = sweep.numbers[value], name = `seed ${sweep.seeds[seed]}`;
  say("shown", sweep.values[value]);
  element("value").setAttribute("aria-valuetext", `${sweep.label} ${sweep.values[value]}, test accuracy ${words.test}`);
  say("all-seeds", `mean of ${n} seed${n === "1" ? "" : "s"}`);
  say("one-seed", name);
  for (const [part, text] of Object.entries(words)) say(`all-${part}`, text);
  const lost = isLost(sweep, value, seed);
  const number = (found, digits, unit) => found === null ? NONE : `${found.toFixed(digits)}${unit}`;
  say("one-test", lost ? "diverged" : number(own.test[seed], 2, " %"));
  say("one-train", number(own.train[seed], 2, " %"));
  say("one-norm", number(own.norm[seed], 2, ""));
  say("one-zeros", number(own.zeros[seed], 1, " %"));
  const first = sweep.baseline === null ? null : sweep.numbers[sweep.baseline].of_seeds.test[seed];
  say("one-difference", value === sweep.baseline ? "baseline" : lost || first === null ? NONE : signed(own.test[seed] - first));
  const here = `at ${sweep.label} ${sweep.values[value]}`;
  element("decision").setAttribute("aria-label", `Map of decisions ${here}. ${within()}`);
  element("accuracy").setAttribute("aria-label", `Test and training accuracy against ${sweep.label}; ${here}: test ${words.test}, training ${words.train}.`);
  element("heat").setAttribute("aria-label", `Weights of ${name} ${here}; norm ${element("one-norm").textContent}.`);
  element("path").setAttribute("aria-label", `Weights of ${name}, ${layerName(sweep, at.layer)}, against ${sweep.label}.`);
  say("here", within());
}

function signed(points) {
  const text = Math.abs(points).toFixed(2);
  return `${Number(text) === 0 ? "" : points < 0 ? "-" : "+"}${text} points`;
}

// What the seeds decide at the point of the map that is pointed at.
function within() {
  if (!at.point) return "Point at the map, or use its arrow keys, for the shares of a place.";
  const [column, row] = at.point, shares = sweep.classes.map((name, c) => [shareOf(sweep, at.value, c, column, row), name]);
  const named = shares.filter(([share]) => share > 0).sort((a, b) => b[0] - a[0]);
  return named.length ? `Here: ${named.map(([share, name]) => `${Math.round(100 * share)} % ${name}`).join(", ")}` : "Every network diverged.";
}

for (const radio of document.querySelectorAll("input[name=sweep]")) {
  radio.addEventListener("change", () => choose(Number(radio.value)));
}
for (const id of ["value", "seed", "layer"]) {
  element(id).addEventListener("input", event => {
    at[id] = Number(event.target.value);
    if (id !== "value") captions();
    show();
  });
}
element("controls").addEventListener("submit", event => event.preventDefault());
function pointed(event) {
  const place = event.target.getBoundingClientRect(), side = sweep.plane.side;
  const column = Math.floor(side * (event.clientX - place.left - box.left) / (box.right - box.left));
  const row = Math.floor(side * (box.bottom - event.clientY + place.top) / (box.bottom - box.top));
  at.point = column >= 0 && column < side && row >= 0 && row < side ? [column, row] : null;
  show();
}

for (const event of ["pointermove", "pointerdown"]) element("decision").addEventListener(event, pointed);
element("decision").addEventListener("pointerleave", event => {
  if (event.pointerType === "touch") return; // a finger that is lifted has still pointed there
  at.point = null;
  show();
});
element("decision").addEventListener("keydown", event => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (event.key === "Escape") at.point = null;
  else if (event.key in moves) {
    const side = sweep.plane.side, from = at.point ?? [side >> 1, side >> 1];
    at.point = from.map((place, n) => Math.min(side - 1, Math.max(0, place + moves[event.key][n])));
  } else return;
  event.preventDefault();
  show();
});
addEventListener("resize", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
choose(0);
