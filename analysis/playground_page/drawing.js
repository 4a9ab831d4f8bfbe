"use strict";
// What every picture is drawn with: colours, a sharp canvas, lines, axes and signs.

const LETTERS = "14px system-ui, sans-serif";

function colours() {
  const style = getComputedStyle(document.documentElement);
  const one = name => style.getPropertyValue(`--${name}`).trim();
  const names = ["paper", "panel", "ink", "soft", "line", "less", "more", "train", "test"];
  return { ...Object.fromEntries(names.map(name => [name, one(name)])), classes: one("classes").split(" ") };
}

function parts(colour) {
  return [1, 3, 5].map(start => parseInt(colour.slice(start, start + 2), 16));
}

// A canvas as sharp as the screen, empty: its context, and its size in CSS pixels.
function opened(canvas) {
  const { width, height } = canvas.getBoundingClientRect(), sharp = devicePixelRatio || 1;
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  pen.font = LETTERS;
  pen.lineJoin = "round";
  return { pen, width, height };
}

function line(pen, points, colour, width, dashes = []) {
  pen.beginPath();
  let drawn = false;
  for (const point of points) {
    if (!point) drawn = false; // a gap
    else if (drawn) pen.lineTo(...point);
    else { pen.moveTo(...point); drawn = true; }
  }
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.stroke();
  pen.setLineDash([]);
}

function ticks(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(each => each * power >= rough) * power;
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push(n * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return found.map(value => [value, value.toFixed(digits).replace("-", "−")]);
}

// A frame with ticks at the left and an axis title each; gives the functions from values to pixels.
function frame({ pen, width, height }, ink, { x, y, low, high, marks, xOf, wide = false }) {
  const steps = ticks(low, high, Math.max(2, Math.floor(height / 60)));
  const left = 26 + Math.max(...steps.map(([, text]) => pen.measureText(text).width));
  const box = { left, top: 8, right: width - (wide ? 8 : 14), bottom: height - 44 };
  const down = value => box.bottom - (box.bottom - box.top) * (value - low) / (high - low);
  const across = value => box.left + (box.right - box.left) * xOf(value);
  pen.fillStyle = ink.soft;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const [value, text] of steps) {
    line(pen, [[box.left, down(value)], [box.right, down(value)]], ink.line, 0.5);
    pen.fillText(text, box.left - 5, down(value));
  }
  pen.textBaseline = "top";
  pen.textAlign = "center";
  const placed = marks.map(([value, text]) => {
    const half = pen.measureText(text).width / 2;
    return { text, half, middle: Math.min(Math.max(across(value), half), width - half) };
  });
  const last = placed.length - 1;
  let free = -Infinity; // where the mark before ended
  placed.forEach(({ text, half, middle }, place) => {
    const end = place === last ? Infinity : placed[last].middle - placed[last].half;
    if (middle - half < free + 8 || middle + half > end - 8) return;
    free = middle + half;
    pen.fillText(text, middle, box.bottom + 6);
  });
  pen.textBaseline = "bottom";
  pen.fillText(x, (box.left + box.right) / 2, height - 2, box.right - box.left);
  pen.save();
  pen.translate(2, (box.top + box.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = "top";
  pen.fillText(y, 0, 0, box.bottom - box.top);
  pen.restore();
  return { box, down, across };
}

// The axis of what is swept: as on the slider, all steps are equally wide.
function sweptAxis(sweep) {
  const last = sweep.values.length - 1;
  return { x: sweep.label, marks: sweep.values.map((text, place) => [place, text]), xOf: place => last ? place / last : 0.5 };
}

function marker(pen, frame, place, ink) {
  const x = frame.across(place);
  line(pen, [[x, frame.box.top], [x, frame.box.bottom]], ink.ink, 1.5, [5, 3]);
}

function symbol(pen, kind, x, y, size) {
  pen.beginPath();
  if (kind % 4 === 0) pen.arc(x, y, size, 0, 2 * Math.PI);
  if (kind % 4 === 1) pen.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  if (kind % 4 === 2) { pen.moveTo(x, y - size * 1.2); pen.lineTo(x + size * 1.1, y + size * 0.8); pen.lineTo(x - size * 1.1, y + size * 0.8); pen.closePath(); }
  if (kind % 4 === 3) { pen.moveTo(x, y - size * 1.3); pen.lineTo(x + size * 1.2, y); pen.lineTo(x, y + size * 1.3); pen.lineTo(x - size * 1.2, y); pen.closePath(); }
}
