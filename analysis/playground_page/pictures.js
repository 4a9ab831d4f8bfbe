"use strict";
// The four pictures. Each function draws all of its canvas from what is chosen:
// `at` = { value, seed, layer, point }, places in the sweep's lists.

// ---- decision ----

function shareOf(sweep, value, number, column, row) {
  const side = sweep.plane.side, cells = side * side;
  return sweep.shares[(value * sweep.classes.length + number) * cells + row * side + column] / 255;
}

function drawDecision(canvas, sweep, at, ink) {
  const open = opened(canvas), { pen } = open, { plane } = sweep, [low, high] = [plane.low, plane.high];
  const drawn = frame(open, ink, {
    x: plane.labels[0], y: plane.labels[1], low: low[1], high: high[1], wide: true,
    marks: ticks(low[0], high[0], 6), xOf: a => (a - low[0]) / (high[0] - low[0]),
  });
  const { box } = drawn, size = [box.right - box.left, box.bottom - box.top];
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, ...size);
  pen.clip();
  pen.drawImage(sharesImage(sweep, at.value, ink), box.left, box.top, ...size);
  for (let number = 0; number < plane.points.length; number++) {
    const [a, b] = plane.points[number], kind = plane.of_class[number];
    symbol(pen, kind, drawn.across(a), drawn.down(b), 3.4);
    pen.fillStyle = ink.classes[kind % ink.classes.length];
    pen.fill();
    pen.strokeStyle = ink.paper;
    pen.lineWidth = 1;
    pen.stroke();
  }
  if (!isLost(sweep, at.value, at.seed)) {
    const side = fineness(sweep), scores = scoresOnPlane(sweep, at.value, at.seed, side);
    pen.beginPath();
    for (const [x1, y1, x2, y2] of boundary(scores, side)) {
      pen.moveTo(box.left + x1 * size[0], box.bottom - y1 * size[1]);
      pen.lineTo(box.left + x2 * size[0], box.bottom - y2 * size[1]);
    }
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 2;
    pen.stroke();
  }
  if (at.point) {
    const x = box.left + (at.point[0] + 0.5) / plane.side * size[0];
    const y = box.bottom - (at.point[1] + 0.5) / plane.side * size[1];
    line(pen, [[x, box.top], [x, box.bottom]], ink.ink, 0.8);
    line(pen, [[box.left, y], [box.right, y]], ink.ink, 0.8);
  }
  pen.restore();
  return box;
}

function sharesImage(sweep, value, ink) {
  const side = sweep.plane.side, image = new ImageData(side, side), cells = side * side;
  const paper = parts(ink.panel), start = value * sweep.classes.length * cells;
  const mixed = sweep.classes.map((_, c) => parts(ink.classes[c % ink.classes.length]));
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = row * side + column, to = 4 * ((side - 1 - row) * side + column);
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0, all = 0;
        for (let c = 0; c < mixed.length; c++) {
          const share = sweep.shares[start + c * cells + from] / 255;
          sum += share * mixed[c][channel];
          all += share;
        }
        image.data[to + channel] = paper[channel] * (1 - 0.45 * all) + 0.45 * sum;
      }
      image.data[to + 3] = 255;
    }
  }
  const small = document.createElement("canvas");
  small.width = small.height = side;
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
}

// ---- accuracy ----

// From which to which accuracy the picture goes, in %. Where one value alone would take most of it,
// as dropout of everything does, it goes below the picture: `cut`.
function accuracyRange(sweep, seed) {
  const ranges = sweep.numbers.map(each => {
    const own = [each.of_seeds.test[seed], each.of_seeds.train[seed]];
    const known = [...each.test, ...each.train, ...own].filter(level => level !== null);
    return known.length ? [Math.min(...known), Math.max(...known)] : null;
  }).filter(range => range).sort((one, other) => one[0] - other[0]);
  if (!ranges.length) return { low: 0, high: 100, cut: false };
  const high = Math.max(...ranges.map(range => range[1])), [lowest, next] = ranges;
  const cut = ranges.length > 2 && high - lowest[0] > 3 * (high - next[0]);
  const low = cut ? next[0] : lowest[0], room = Math.max(0.06 * (high - low), 0.5);
  return { low: Math.max(low - room, 0), high: Math.min(high + room, 100.3), cut };
}

function drawAccuracy(canvas, sweep, at, ink) {
  const open = opened(canvas), { pen } = open, { low, high } = accuracyRange(sweep, at.seed);
  const drawn = frame(open, ink, { y: "accuracy, %", low, high, ...sweptAxis(sweep) });
  pen.save();
  pen.beginPath();
  pen.rect(drawn.box.left - 6, 0, drawn.box.right - drawn.box.left + 12, drawn.box.bottom);
  pen.clip();
  for (const [part, dashes] of [["train", [7, 4]], ["test", []]]) {
    const levels = sweep.numbers.map(each => each[part]);
    const place = which => levels.map((each, v) => each[which] === null ? null : [drawn.across(v), drawn.down(each[which])]);
    const [under, over] = [place(1), place(2)];
    pen.fillStyle = ink[part];
    pen.globalAlpha = 0.22;
    for (let v = 0; v + 1 < levels.length; v++) {
      const corners = [under[v], under[v + 1], over[v + 1], over[v]];
      if (corners.some(each => each === null)) continue;
      pen.beginPath();
      corners.forEach((each, n) => n ? pen.lineTo(...each) : pen.moveTo(...each));
      pen.fill();
    }
    pen.globalAlpha = 1;
    line(pen, place(0), ink[part], 2.2, dashes);
    sweep.numbers.forEach((each, v) => {
      const own = each.of_seeds[part][at.seed];
      if (own === null) return;
      symbol(pen, part === "test" ? 0 : 3, drawn.across(v), drawn.down(own), 3.2);
      pen.strokeStyle = ink[part];
      pen.lineWidth = 1.3;
      pen.stroke();
    });
  }
  pen.restore();
  marker(pen, drawn, at.value, ink);
}

// ---- weights ----

// The largest weight of the chosen network over all values, so that colours mean the same at each.
function reach(sweep, seed, layer) {
  let most = 0;
  for (let value = 0; value < sweep.values.length; value++) {
    if (isLost(sweep, value, seed)) continue;
    for (const weight of weights(sweep, value, seed, layer)) most = Math.max(most, Math.abs(weight));
  }
  return most || 1;
}

// The blocks of the heat map: next to the inputs their units lie side by side, as in the block below.
function blocks(sweep) {
  const last = sweep.shapes.length - 1;
  return sweep.shapes.map(([outputs, inputs], layer) => {
    const turned = layer === 0 && last > 0;
    const rows = turned ? inputs : outputs, columns = turned ? outputs : inputs;
    const names = layer === 0 ? sweep.features : layer === last ? sweep.classes : null;
    return { layer, turned, rows, columns, names, title: layerName(sweep, layer) };
  });
}

function layerName(sweep, layer) {
  const last = sweep.shapes.length - 1, hidden = n => last > 1 ? `hidden layer ${n}` : "hidden units";
  return `${layer ? hidden(layer) : "inputs"} → ${layer === last ? "classes" : hidden(layer + 1)}`;
}

function drawHeat(canvas, sweep, at, ink) {
  const open = opened(canvas), { pen, width, height } = open, all = blocks(sweep);
  const [zero, less, more] = [ink.paper, ink.less, ink.more].map(parts);
  const rows = all.reduce((sum, each) => sum + Math.max(each.rows, 3), 0);
  const spare = height - 24 * all.length - 6;
  const named = all.flatMap(each => each.names && each.rows * 17 <= spare * each.rows / rows + 40 ? each.names : []);
  const left = Math.min(0.36 * width, Math.max(0, ...named.map(name => pen.measureText(name).width)) + 8);
  let top = 0;
  for (const { layer, turned, rows: own, columns, names, title } of all) {
    const most = reach(sweep, at.seed, layer), tall = spare * Math.max(own, 3) / rows;
    pen.fillStyle = ink.ink;
    pen.textAlign = "left";
    pen.textBaseline = "top";
    const said = `${title}, −${most.toFixed(2)} to ${most.toFixed(2)}`;
    pen.fillText(said, 0, top + 3);
    const room = Math.min(90, width - pen.measureText(said).width - 14);
    if (room > 20) scale(pen, width - room - 1, top + 5, room, 11, [less, zero, more], ink);
    top += 24;
    const wide = width - left - 1, cell = [wide / columns, tall / own];
    const found = isLost(sweep, at.value, at.seed) ? null : weights(sweep, at.value, at.seed, layer);
    for (let row = 0; row < own; row++) {
      for (let column = 0; column < columns; column++) {
        const weight = found === null ? 0 : turned ? found[column * own + row] : found[row * columns + column];
        const end = weight < 0 ? less : more, share = Math.min(1, Math.abs(weight) / most);
        pen.fillStyle = `rgb(${zero.map((from, n) => Math.round(from + (end[n] - from) * share)).join()})`;
        const gap = cell[0] > 4 && cell[1] > 4 ? 0.6 : -0.3;
        pen.fillRect(left + column * cell[0], top + row * cell[1], cell[0] - gap, cell[1] - gap);
      }
      if (names && cell[1] >= 14) {
        pen.fillStyle = ink.soft;
        pen.textAlign = "right";
        pen.textBaseline = "middle";
        pen.fillText(names[row], left - 6, top + (row + 0.5) * cell[1], left - 6);
      }
    }
    pen.strokeStyle = ink.line;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, wide, tall);
    top += tall;
  }
}

function scale(pen, x, y, width, height, ends, ink) {
  const shade = pen.createLinearGradient(x, 0, x + width, 0);
  ends.forEach((end, n) => shade.addColorStop(n / 2, `rgb(${end.join()})`));
  pen.fillStyle = shade;
  pen.fillRect(x, y, width, height);
  pen.strokeStyle = ink.line;
  pen.strokeRect(x, y, width, height);
}

// ---- path ----

const MOST_PATHS = 400;

function drawPath(canvas, sweep, at, ink) {
  const open = opened(canvas), { pen } = open, [outputs, inputs] = sweep.shapes[at.layer];
  const middles = sweep.numbers.map(each => each.middle[at.layer]);
  const most = 1.05 * Math.max(reach(sweep, at.seed, at.layer), ...middles.flatMap(each => each ? each.map(Math.abs) : []));
  const drawn = frame(open, ink, { y: "weight", low: -most, high: most, ...sweptAxis(sweep) });
  pen.fillStyle = ink.soft;
  pen.globalAlpha = 0.22;
  for (let v = 0; v + 1 < middles.length; v++) {
    if (!middles[v] || !middles[v + 1]) continue;
    pen.beginPath();
    pen.moveTo(drawn.across(v), drawn.down(middles[v][0]));
    pen.lineTo(drawn.across(v + 1), drawn.down(middles[v + 1][0]));
    pen.lineTo(drawn.across(v + 1), drawn.down(middles[v + 1][1]));
    pen.lineTo(drawn.across(v), drawn.down(middles[v][1]));
    pen.fill();
  }
  pen.globalAlpha = 1;
  const every = sweep.values.map((_, v) => isLost(sweep, v, at.seed) ? null : weights(sweep, v, at.seed, at.layer));
  const stride = Math.ceil(outputs * inputs / MOST_PATHS);
  for (let weight = 0; weight < outputs * inputs; weight += stride) {
    const points = every.map((each, v) => each && [drawn.across(v), drawn.down(each[weight])]);
    const ends = points.filter(each => each);
    line(pen, points, ends.length && ends[0][1] > drawn.down(0) ? ink.less : ink.more, 0.8);
  }
  line(pen, [[drawn.box.left, drawn.down(0)], [drawn.box.right, drawn.down(0)]], ink.ink, 1);
  marker(pen, drawn, at.value, ink);
  const own = every[at.value];
  for (let weight = 0; own && weight < outputs * inputs; weight += stride) {
    symbol(pen, 0, drawn.across(at.value), drawn.down(own[weight]), 2);
    pen.fillStyle = own[weight] < 0 ? ink.less : ink.more;
    pen.fill();
  }
}
