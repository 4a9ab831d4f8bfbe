"use strict";
// The recorded networks, evaluated on the plane.

function numbersIn(text, Kind) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

// A sweep of the page, its arrays unpacked. `starts`: where each layer's weights begin in a model.
function unpacked(sweep) {
  const starts = [];
  let size = 0;
  for (const [outputs, inputs] of sweep.shapes) {
    starts.push(size);
    size += outputs * inputs + outputs;
  }
  return {
    ...sweep, starts, size,
    parameters: numbersIn(sweep.parameters, Float32Array),
    shares: numbersIn(sweep.shares, Uint8Array),
    mean: numbersIn(sweep.scaling.mean, Float64Array),
    deviation: numbersIn(sweep.scaling.deviation, Float64Array),
  };
}

// The parameters of one model, a view.
function model(sweep, value, seed) {
  const start = (value * sweep.seeds.length + seed) * sweep.size;
  return sweep.parameters.subarray(start, start + sweep.size);
}

// The weights of one of its layers, row by row, a view.
function weights(sweep, value, seed, layer) {
  const [outputs, inputs] = sweep.shapes[layer], start = sweep.starts[layer];
  return model(sweep, value, seed).subarray(start, start + outputs * inputs);
}

function isLost(sweep, value, seed) {
  return sweep.numbers[value].of_seeds.test[seed] === null;
}

// How many points of the plane a side has: 64, of large networks fewer, so that a step stays quick.
function fineness(sweep) {
  const products = sweep.shapes.slice(1).reduce((sum, [o, i]) => sum + o * i, sweep.shapes[0][0]);
  return Math.max(32, Math.min(64, Math.floor(Math.sqrt(4e6 / products))));
}

// Class scores (points, classes) of a model at `side` × `side` points from edge to edge of the
// plane, its second direction going up with the rows.
function scoresOnPlane(sweep, value, seed, side) {
  const { plane, shapes, starts, mean, deviation } = sweep;
  const own = model(sweep, value, seed), [units, features] = shapes[0];
  const base = new Float64Array(units), right = new Float64Array(units), up = new Float64Array(units);
  for (let h = 0; h < units; h++) {
    base[h] = own[units * features + h];
    for (let f = 0; f < features; f++) {
      const at = seed * features + f, w = own[h * features + f] / deviation[at];
      base[h] += w * (plane.origin[f] - mean[at]);
      right[h] += w * plane.along[0][f];
      up[h] += w * plane.along[1][f];
    }
  }
  const classes = shapes[shapes.length - 1][0], scores = new Float64Array(side * side * classes);
  const buffers = shapes.map(([outputs]) => new Float64Array(outputs));
  for (let y = 0; y < side; y++) {
    const b = plane.low[1] + (plane.high[1] - plane.low[1]) * y / (side - 1);
    for (let x = 0; x < side; x++) {
      const a = plane.low[0] + (plane.high[0] - plane.low[0]) * x / (side - 1);
      let inputs = buffers[0];
      for (let h = 0; h < units; h++) inputs[h] = Math.max(0, base[h] + a * right[h] + b * up[h]);
      for (let layer = 1; layer < shapes.length; layer++) {
        const [outputs, count] = shapes[layer], last = layer === shapes.length - 1;
        const biases = starts[layer] + outputs * count, out = buffers[layer];
        for (let o = 0; o < outputs; o++) {
          let sum = own[biases + o];
          for (let i = 0, w = starts[layer] + o * count; i < count; i++) sum += own[w + i] * inputs[i];
          out[o] = last ? sum : Math.max(0, sum);
        }
        inputs = out;
      }
      scores.set(inputs, (y * side + x) * classes);
    }
  }
  return scores;
}

// Where a model changes its class: lines [x1, y1, x2, y2] in shares of the plane's sides, by
// marching squares on each class's lead over the best of the others.
function boundary(scores, side) {
  const classes = scores.length / (side * side), lead = new Float64Array(side * side), lines = [];
  for (let c = 0; c < classes; c++) {
    for (let point = 0; point < side * side; point++) {
      let others = -Infinity;
      for (let k = 0; k < classes; k++) {
        if (k !== c) others = Math.max(others, scores[point * classes + k]);
      }
      lead[point] = scores[point * classes + c] - others;
    }
    for (let y = 0; y + 1 < side; y++) {
      for (let x = 0; x + 1 < side; x++) crossings(lead, side, x, y, lines);
    }
  }
  return lines;
}

function crossings(lead, side, x, y, lines) {
  const corners = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], found = [];
  for (let i = 0; i < 4; i++) {
    const [x1, y1] = corners[i], [x2, y2] = corners[(i + 1) % 4];
    const from = lead[y1 * side + x1], to = lead[y2 * side + x2];
    if (from > 0 === to > 0) continue;
    const part = from / (from - to);
    found.push((x1 + (x2 - x1) * part) / (side - 1), (y1 + (y2 - y1) * part) / (side - 1));
  }
  for (let i = 0; i + 3 < found.length; i += 4) lines.push(found.slice(i, i + 4));
}
