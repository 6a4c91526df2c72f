// Plots as SVG, and their saving. Colors that the color-blind tell apart: Okabe and Ito, https://jfly.uni-koeln.de/color/.

const distinctColors = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#7a6a00', '#5c5c5c'];
const otherColor = '#9aa5b0';
const missingColor = '#c4ccd4';

// Steps of viridis, from dark to light.
const viridis = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
  [170, 220, 50], [253, 231, 37]];

// `part` from 0 to 1 along a list of colors.
function colorAlong(steps, part) {
  const at = Math.min(Math.max(part, 0), 1) * (steps.length - 1);
  const low = Math.min(Math.floor(at), steps.length - 2);
  const mix = steps[low].map((value, i) => Math.round(value + (at - low) * (steps[low + 1][i] - value)));
  return `rgb(${mix.join(',')})`;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// About `count` round numbers within a range.
function ticksOf(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); ++i) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function tickText(value) {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) return value.toExponential(0);
  return String(value);
}

// A frame with axes: { node, x, y, inner }, where x and y turn values into places. An axis is { low, high, label } and,
// where round numbers do not name its places, ticks: [[place, text]].
function frame({ title, width = 420, height = 240, x, y, bottom = 44, left = 58 }) {
  const box = { left, top: 26, right: width - 12, bottom: height - bottom };
  const scale = (axis, from, to) => (value) => from + (value - axis.low) / (axis.high - axis.low || 1) * (to - from);
  const placeX = scale(x, box.left, box.right);
  const placeY = scale(y, box.bottom, box.top);
  const node = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': title,
    class: 'plot', 'font-family': 'sans-serif', 'font-size': 12 });
  const text = (place, label, anchor) => svg('text', { ...place, 'text-anchor': anchor, class: 'ink' }, label);
  node.append(svg('title', {}, title), text({ x: box.left, y: 15, 'font-weight': 'bold' }, title, 'start'));
  for (const [value, words] of x.ticks || ticksOf(x.low, x.high, 6).map((tick) => [tick, tickText(tick)])) {
    node.append(svg('line', { x1: placeX(value), x2: placeX(value), y1: box.bottom, y2: box.bottom + 4, class: 'axis' }),
      text({ x: placeX(value), y: box.bottom + 17 }, words, 'middle'));
  }
  for (const value of ticksOf(y.low, y.high, 5)) {
    node.append(svg('line', { x1: box.left, x2: box.right, y1: placeY(value), y2: placeY(value), class: 'grid' }),
      text({ x: box.left - 6, y: placeY(value) + 4 }, tickText(value), 'end'));
  }
  node.append(svg('path', { d: `M${box.left} ${box.top}V${box.bottom}H${box.right}`, class: 'axis', fill: 'none' }),
    text({ x: (box.left + box.right) / 2, y: box.bottom + 35 }, x.label, 'middle'),
    svg('text', { transform: `translate(14 ${(box.top + box.bottom) / 2}) rotate(-90)`, 'text-anchor': 'middle',
      class: 'ink' }, y.label));
  const inner = svg('g', {});
  node.append(inner);
  return { node, x: placeX, y: placeY, inner, box };
}

// How often values fall into each of up to 40 equal bins.
function binned(values) {
  let low = Infinity;
  let high = -Infinity;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    ++count;
  }
  if (count === 0) return null;
  const bins = Math.max(1, Math.min(40, Math.ceil(Math.sqrt(count))));
  const width = (high - low) / bins || 1;
  const counts = new Array(bins).fill(0);
  for (const value of values) {
    if (Number.isFinite(value)) ++counts[Math.min(bins - 1, Math.floor((value - low) / width))];
  }
  return { low, width, counts };
}

function histogram(title, label, values, unit = 'records') {
  const bins = binned(values);
  if (!bins) return null;
  const high = bins.low + bins.width * bins.counts.length;
  const plot = frame({ title, x: { low: bins.low, high, label }, y: { low: 0, high: Math.max(...bins.counts), label: unit } });
  bins.counts.forEach((count, i) => {
    const from = plot.x(bins.low + i * bins.width);
    const to = plot.x(bins.low + (i + 1) * bins.width);
    const words = `${tickText(Number((bins.low + i * bins.width).toPrecision(4)))} and more: ${count}`;
    plot.inner.append(svg('rect', { x: from, y: plot.y(count), width: Math.max(1, to - from - 1),
      height: plot.y(0) - plot.y(count), fill: distinctColors[0] }, svg('title', {}, words)));
  });
  return withSaving(plot.node, title);
}

function save(name, blob) {
  const link = element('a', { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// A file name from a title or an id.
function fileName(text, ending) { return `${text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80) || 'plot'}.${ending}`; }

// The SVG by itself: with what the page's style gives it.
function standalone(node) {
  const copy = node.cloneNode(true);
  const own = [...node.querySelectorAll('*')];
  [...copy.querySelectorAll('*')].forEach((part, i) => {
    const style = getComputedStyle(own[i]);
    for (const name of ['fill', 'stroke', 'stroke-width', 'opacity']) part.setAttribute(name, style.getPropertyValue(name));
    part.removeAttribute('class');
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const paper = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg('rect', { width: '100%', height: '100%', fill: paper }));
  return new XMLSerializer().serializeToString(copy);
}

function savePng(text, width, height, name) {
  const image = new Image();
  image.onload = () => {
    const canvas = element('canvas', { width: 2 * width, height: 2 * height });
    canvas.getContext('2d').drawImage(image, 0, 0, 2 * width, 2 * height);
    canvas.toBlob((blob) => save(name, blob));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

// A plot with its buttons. `node` is an SVG; pictures in it are data already.
function withSaving(node, title) {
  const size = node.viewBox.baseVal;
  const svgButton = element('button', { type: 'button', 'aria-label': `save ${title} as SVG` }, 'SVG');
  const pngButton = element('button', { type: 'button', 'aria-label': `save ${title} as PNG` }, 'PNG');
  svgButton.addEventListener('click', () => save(fileName(title, 'svg'), new Blob([standalone(node)],
    { type: 'image/svg+xml' })));
  pngButton.addEventListener('click', () => savePng(standalone(node), size.width, size.height, fileName(title, 'png')));
  return element('figure', {}, node, element('figcaption', { className: 'controls' }, 'save as', svgButton, pngButton));
}
