// The projection of the embeddings: points colored by a column, labels under the pointer, a line drawn around some.

// Whether a point lies within a polygon (even-odd rule).
function isWithin([x, y], polygon) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if ((yi > y) !== (yj > y) && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

// Each column that can color: { label, colorOf(record), legend }.
function scatterColors(data) {
  const numbers = (label, values) => {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const part = (value) => (value - low) / (high - low || 1);
    const text = (value) => tickText(Number(value.toPrecision(4)));
    return { label, colorOf: (i) => (Number.isFinite(values[i]) ? colorAlong(viridis, part(values[i])) : missingColor),
      legend: [0, 0.5, 1].map((at) => [colorAlong(viridis, at), text(low + at * (high - low))]) };
  };
  const words = (label, places, texts) => {
    const few = texts.slice(0, distinctColors.length);
    const legend = few.map((text, i) => [distinctColors[i], text]);
    if (texts.length > few.length) legend.push([otherColor, `${texts.length - few.length} others`]);
    const colorOf = (i) => (places[i] < 0 ? missingColor : distinctColors[places[i]] || otherColor);
    return { label, colorOf, legend };
  };
  const choices = {};
  if (data.meta.color) {
    const { color } = data;
    choices.table = data['color.texts'] ? words(data.meta.color, color, data['color.texts'].all())
      : numbers(data.meta.color, color);
    choices.table.legend.push([missingColor, 'not in the table']);
  }
  choices.length = numbers('length', data.length);
  if (data.meta.structures) choices.plddt = numbers('mean pLDDT', data.plddt);
  if (data.meta.files.length > 1) choices.file = words('file', data.file, data.meta.files);
  choices.note = words('note', data.code, data['code.texts'].all().map((code) => code || 'none'));
  return choices;
}

class Scatter {
  constructor(data) {
    this.data = data;
    this.points = [];
    for (let i = 0; i < data.x.length; ++i) if (Number.isFinite(data.x[i]) && Number.isFinite(data.y[i])) this.points.push(i);
    this.colors = scatterColors(data);
    const menu = byId('scatter-color');
    for (const [key, { label }] of Object.entries(this.colors)) menu.append(element('option', { value: key }, visible(label)));
    menu.addEventListener('change', () => setState({ points: menu.value === menu.options[0].value ? '' : menu.value }));
    byId('lasso-table').addEventListener('click', () => {
      setState({ chosen: this.chosen.join(','), find: '', status: '' });
      byId('records-heading').scrollIntoView();
    });
    byId('lasso-clear').addEventListener('click', () => { setState({ chosen: '' }); this.choose([]); });
    this.build();
    onState(() => this.update());
  }

  build() {
    const { data } = this;
    const range = (values, label) => {
      let [low, high] = [Infinity, -Infinity];
      for (const i of this.points) {
        low = Math.min(low, values[i]);
        high = Math.max(high, values[i]);
      }
      const edge = 0.03 * (high - low || 1);
      return { low: low - edge, high: high + edge, label };
    };
    const { percent } = data.meta.projection;
    this.plot = frame({ title: 'Principal components', width: 640, height: 460,
      x: range(data.x, `first component, ${percent[0]} % of the variance`),
      y: range(data.y, `second component, ${percent[1]} %`) });
    const { node, inner, box } = this.plot;
    this.picture = svg('image', { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top });
    this.line = svg('path', { class: 'lasso', fill: 'none' });
    this.dot = svg('circle', { r: 6, class: 'lasso', fill: 'none', visibility: 'hidden' });
    inner.append(this.picture, this.line, this.dot);
    this.sortIntoCells();
    node.classList.add('map');
    node.dataset.map = 'scatter';
    const place = (event) => svgPoint(node, event);
    node.addEventListener('pointermove', (event) => this.hover(place(event)));
    let way = [];
    onDrag(node, place, (from, to) => {
      if (way.length === 0) way.push(from);
      way.push(to);
      this.line.setAttribute('d', `M${way.map((point) => point.join(' ')).join('L')}Z`);
    }, () => {
      if (way.length > 2) this.choose(this.points.filter((i) => isWithin(this.placeOf(i), way)));
      way = [];
    });
    byId('scatter').replaceChildren(withSaving(node, 'Principal components'));
  }

  placeOf(i) { return [this.plot.x(this.data.x[i]), this.plot.y(this.data.y[i])]; }

  // By squares of ten pixels, so that the one under the pointer is found at once.
  sortIntoCells() {
    this.cells = new Map();
    for (const i of this.points) {
      const key = this.placeOf(i).map((value) => Math.floor(value / 10)).join();
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(i);
    }
  }

  nearest([x, y]) {
    let found = -1;
    let best = 100;
    for (const column of [-1, 0, 1]) {
      for (const row of [-1, 0, 1]) {
        for (const i of this.cells.get([Math.floor(x / 10) + column, Math.floor(y / 10) + row].join()) || []) {
          const [px, py] = this.placeOf(i);
          const distance = (px - x) ** 2 + (py - y) ** 2;
          if (distance < best) [best, found] = [distance, i];
        }
      }
    }
    return found;
  }

  hover(point) {
    const i = this.nearest(point);
    const [x, y] = i < 0 ? [0, 0] : this.placeOf(i);
    this.dot.setAttribute('visibility', i < 0 ? 'hidden' : 'visible');
    this.dot.setAttribute('cx', x);
    this.dot.setAttribute('cy', y);
    byId('scatter-hover').textContent = i < 0 ? '' : visible(`${this.data.id.at(i)} ${this.data.description.at(i)}`).slice(0, 200);
  }

  choose(records) {
    this.chosen = records;
    byId('lasso-ids').value = records.map((i) => visible(this.data.id.at(i))).join('\n');
    byId('lasso-table').disabled = byId('lasso-clear').disabled = records.length === 0;
    if (records.length === 0) this.line.removeAttribute('d');
  }

  update() {
    const key = this.colors[state.get('points')] ? state.get('points') : Object.keys(this.colors)[0];
    if (key === this.key) return;
    this.key = key;
    byId('scatter-color').value = key;
    this.paint(this.colors[key]);
  }

  paint({ colorOf, legend }) {
    const { box } = this.plot;
    const sharper = 2;
    const canvas = element('canvas', { width: sharper * (box.right - box.left), height: sharper * (box.bottom - box.top) });
    const context = canvas.getContext('2d');
    context.globalAlpha = this.points.length > 5000 ? 0.5 : 0.85;
    const radius = this.points.length > 5000 ? 2 : 6;
    for (const i of this.points) {
      const [x, y] = this.placeOf(i);
      context.fillStyle = colorOf(i);
      context.beginPath();
      context.arc(sharper * (x - box.left), sharper * (y - box.top), radius, 0, 7);
      context.fill();
    }
    this.picture.setAttribute('href', canvas.toDataURL());
    byId('scatter-legend').replaceChildren(...legend.map(([color, text]) => swatch(color, visible(text))));
  }
}

function showEmbeddings(data) {
  const { projection } = data.meta;
  if (!projection) return;
  byId('embeddings').hidden = byId('embeddings-link').hidden = false;
  const sample = projection.fitted < projection.vectors ? ` The axes were found with ${projection.fitted} of them.` : '';
  byId('projection-text').textContent = `The ${projection.vectors} mean vectors of ${projection.path}.${sample} Nearby`
    + ' points have similar vectors. Draw a line around points to list them.';
  const plots = [histogram('Length of the mean vectors', 'norm', data.norm),
    histogram('Residues of these records', 'residues', data.length.filter((_, i) => Number.isFinite(data.norm[i])))];
  byId('embedding-plots').append(...plots.filter(Boolean));
  const isFlat = !data.x.some((x) => Number.isFinite(x) && x !== 0);
  if (isFlat) byId('scatter').textContent = 'There are too few different vectors for a projection.';
  else new Scatter(data);
}
