// Maps over pairs of residues: the predicted aligned error, contacts. Dragging selects residues, from the keyboard the
// field beside them does.

const paeColors = [[0, 68, 27], [35, 139, 69], [116, 196, 118], [199, 233, 192], [247, 252, 245]];
const contactColors = [[247, 251, 255], [158, 202, 225], [49, 130, 189], [8, 48, 107]];

const mapKinds = {
  pae: { title: 'Predicted aligned error', unit: 'Å', colors: paeColors, high: 31.75, x: 'scored residue',
    y: 'aligned residue' },
  contacts: { title: 'Contacts', unit: 'probability', colors: contactColors, high: 1, x: 'residue', y: 'residue' },
};

// The value at a row and a column of the drawn map; NaN where there is none.
function mapValue(detail, name, row, column) {
  const { rows, step } = detail.meta[name];
  const stored = detail[name][row * rows + column];
  return stored === 255 ? NaN : stored * step;
}

function mapPicture(detail, name) {
  const { colors, high } = mapKinds[name];
  const { rows } = detail.meta[name];
  const canvas = element('canvas', { width: rows, height: rows });
  const context = canvas.getContext('2d');
  const picture = context.createImageData(rows, rows);
  const steps = Array.from({ length: 255 }, (_, i) => colorAlong(colors, (i * detail.meta[name].step) / high)
    .match(/\d+/g).map(Number));
  for (let i = 0; i < rows * rows; ++i) {
    const color = detail[name][i] === 255 ? [150, 150, 150] : steps[detail[name][i]];
    picture.data.set([...color, 255], 4 * i);
  }
  context.putImageData(picture, 0, 0);
  return canvas.toDataURL();
}

function colorBar(kind, left, top, width) {
  const bar = svg('g', {});
  const steps = 32;
  for (let i = 0; i < steps; ++i) {
    bar.append(svg('rect', { x: left + (i * width) / steps, y: top, width: width / steps + 0.5, height: 8,
      fill: colorAlong(kind.colors, i / (steps - 1)) }));
  }
  bar.append(svg('text', { x: left, y: top + 21, class: 'ink' }, '0'),
    svg('text', { x: left + width, y: top + 21, class: 'ink', 'text-anchor': 'end' }, `${kind.high} ${kind.unit}`));
  return bar;
}

// Where a drag began and where the pointer is, as `place` turns an event into one.
function onDrag(node, place, moved, ended) {
  let begin = null;
  node.addEventListener('pointerdown', (event) => {
    begin = place(event);
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  node.addEventListener('pointermove', (event) => { if (begin) moved(begin, place(event)); });
  node.addEventListener('pointerup', (event) => {
    if (begin) ended(begin, place(event));
    begin = null;
  });
}

// The point of an SVG under the pointer, in its own units.
function svgPoint(node, event) {
  const box = node.getBoundingClientRect();
  const view = node.viewBox.baseVal;
  return [(event.clientX - box.left) / box.width * view.width, (event.clientY - box.top) / box.height * view.height];
}

// { node, mark }: mark(selected) shows the selected residues at both sides.
function mapPlot(detail, name, select) {
  const kind = mapKinds[name];
  const length = detail.meta.residues.length;
  const plot = frame({ title: kind.title, width: 400, height: 430, bottom: 78, x: { low: 0, high: length, label: kind.x },
    y: { low: length, high: 0, label: kind.y } });
  const { box } = plot;
  plot.inner.append(svg('image', { href: mapPicture(detail, name), x: box.left, y: box.top, width: box.right - box.left,
    height: box.bottom - box.top, preserveAspectRatio: 'none', class: 'pixels' }));
  plot.node.append(colorBar(kind, box.left, box.bottom + 46, 160));
  const marks = svg('g', {});
  const drag = svg('rect', { class: 'drag', visibility: 'hidden' });
  plot.inner.append(marks, drag);
  plot.node.classList.add('map');
  plot.node.dataset.map = name;
  const residue = (part) => Math.min(length - 1, Math.max(0, Math.floor(part * length)));
  const place = (event) => {
    const [x, y] = svgPoint(plot.node, event);
    return { x, y, column: residue((x - box.left) / (box.right - box.left)),
      row: residue((y - box.top) / (box.bottom - box.top)) };
  };
  const corners = (from, to) => [Math.min(from, to), Math.max(from, to)];
  onDrag(plot.node, place, (from, to) => {
    const [x, right] = corners(from.x, to.x);
    const [y, bottom] = corners(from.y, to.y);
    for (const [key, value] of Object.entries({ x, y, width: right - x, height: bottom - y, visibility: 'visible' })) {
      drag.setAttribute(key, value);
    }
  }, (from, to) => {
    drag.setAttribute('visibility', 'hidden');
    select([corners(from.column, to.column), corners(from.row, to.row)]);
  });
  const mark = (selected) => {
    marks.replaceChildren();
    for (const [first, last] of rangesOf(selected)) {
      marks.append(svg('rect', { x: plot.x(first), y: box.bottom, width: plot.x(last + 1) - plot.x(first), height: 5,
        class: 'mark' }), svg('rect', { x: box.left - 5, y: plot.y(first), width: 5,
        height: plot.y(last + 1) - plot.y(first), class: 'mark' }));
    }
  };
  return { node: withSaving(plot.node, `${detail.name} ${kind.title}`), mark };
}

// [3, 4, 5, 9] as [[3, 5], [9, 9]].
function rangesOf(sorted) {
  const ranges = [];
  for (const value of sorted) {
    if (ranges.length && ranges.at(-1)[1] === value - 1) ranges.at(-1)[1] = value;
    else ranges.push([value, value]);
  }
  return ranges;
}

// Mean PAE between chains as a table; nothing for one chain.
function chainPairs(detail) {
  const { chain_lengths: lengths, chain_names: names, pae } = detail.meta;
  if (!pae || lengths.length < 2) return null;
  const chainOf = lengths.flatMap((length, chain) => new Array(length).fill(chain));
  const sums = lengths.map(() => lengths.map(() => [0, 0]));
  for (let row = 0; row < pae.rows; ++row) {
    for (let column = 0; column < pae.rows; ++column) {
      const value = mapValue(detail, 'pae', row, column);
      if (Number.isNaN(value)) continue;
      const sum = sums[chainOf[row * pae.bin]][chainOf[column * pae.bin]];
      sum[0] += value;
      ++sum[1];
    }
  }
  const table = element('table', { className: 'plain' }, element('caption', {}, 'Mean PAE between chains, Å'));
  const head = element('tr', {}, element('th', { scope: 'col' }, 'aligned, scored'));
  head.append(...names.map((name) => element('th', { scope: 'col' }, name)));
  const body = element('tbody', {});
  sums.forEach((row, i) => {
    const cells = row.map(([sum, count]) => element('td', { className: 'number' }, count ? (sum / count).toFixed(1) : ''));
    body.append(element('tr', {}, element('th', { scope: 'row' }, names[i]), ...cells));
  });
  table.append(element('thead', {}, head), body);
  return table;
}
