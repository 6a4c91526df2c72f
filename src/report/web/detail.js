// What a click on a record shows, and the residues that are selected in all its pictures at once.

// "1-20, 35" as residues from 0; what is no number or not there is left out.
function residuesIn(text, length) {
  const chosen = new Set();
  for (const part of text.split(',')) {
    const found = /^\s*(\d+)\s*(?:-\s*(\d+))?\s*$/.exec(part);
    if (!found) continue;
    const last = Math.min(Number(found[2] || found[1]), length);
    for (let i = Math.max(1, Number(found[1])); i <= last; ++i) chosen.add(i - 1);
  }
  return [...chosen].sort((a, b) => a - b);
}

function residueText(selected) {
  return rangesOf(selected).map(([first, last]) => (first === last ? first + 1 : `${first + 1}-${last + 1}`)).join(',');
}

// pLDDT along the chain, with its bands; dragging selects residues.
function confidencePlot(detail, select) {
  const { residues } = detail.meta;
  const title = 'pLDDT along the chain';
  const plot = frame({ title, width: 560, x: { low: 0, high: residues.length, label: 'residue' },
    y: { low: 0, high: 100, label: 'pLDDT' } });
  const width = Math.max(0.5, plot.x(1) - plot.x(0) - (residues.length < 150 ? 1 : 0));
  detail.plddt.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    plot.inner.append(svg('rect', { x: plot.x(i), y: plot.y(value), width, height: plot.y(0) - plot.y(value),
      fill: confidenceColor(value) }, svg('title', {}, `${residues[i]}${i + 1}: ${value.toFixed(1)}`)));
  });
  let end = 0;
  for (const length of detail.meta.chain_lengths.slice(0, -1)) {
    end += length;
    plot.inner.append(svg('line', { x1: plot.x(end), x2: plot.x(end), y1: plot.box.top, y2: plot.box.bottom, class: 'axis' }));
  }
  const marks = svg('g', {});
  plot.inner.append(marks);
  const residue = (event) => {
    const [x] = svgPoint(plot.node, event);
    const part = (x - plot.box.left) / (plot.box.right - plot.box.left);
    return Math.min(residues.length - 1, Math.max(0, Math.floor(part * residues.length)));
  };
  onDrag(plot.node, residue, () => {}, (from, to) => select([[Math.min(from, to), Math.max(from, to)]]));
  plot.node.dataset.map = 'plddt';
  const mark = (selected) => {
    marks.replaceChildren(...rangesOf(selected).map(([first, last]) => svg('rect', { x: plot.x(first), y: plot.box.bottom,
      width: plot.x(last + 1) - plot.x(first), height: 5, class: 'mark' })));
  };
  return { node: withSaving(plot.node, `${detail.name} ${title}`), mark };
}

class DetailView {
  constructor(data, table) {
    this.data = data;
    this.table = table;
    this.shown = null;
    this.plots = [];
    this.molecule = new MoleculeView((residue, adds) => this.pick(residue, adds));
    byId('save-pdb').addEventListener('click', () => {
      save(fileName(this.detail.name, 'pdb'), new Blob([this.pdb], { type: 'chemical/x-pdb' }));
    });
    byId('selection-clear').addEventListener('click', () => setState({ select: '' }));
    byId('selection-input').addEventListener('change', () => setState({ select: byId('selection-input').value.trim() }));
    onState(() => this.update());
  }

  update() {
    const given = state.get('record');
    const record = given === null ? -1 : Number(given);
    const isThere = Number.isInteger(record) && record >= 0 && record < this.data.status.length;
    byId('detail').hidden = !isThere;
    if (!isThere) {
      this.shown = null;
      return;
    }
    if (record === this.shown) {
      this.markSelection();
      return;
    }
    const isFirst = this.shown === null;
    this.shown = record;
    this.working = this.show(record, isFirst).catch((error) => {
      console.error(error);
      byId('detail-text').textContent = `This cannot be shown: ${error.message}`;
    });
  }

  async show(record) {
    const { data, table } = this;
    table.reveal(record);
    table.show();
    byId('detail-heading').textContent = visible(data.id.at(record));
    const facts = [['description', data.description.at(record)]];
    for (const [key, label] of [['status', 'status'], ['length', 'residues'], ['chains', 'chains'], ['plddt', 'mean pLDDT'],
      ['ptm', 'pTM'], ['iptm', 'ipTM'], ['ipsae', 'best ipSAE'],
      ['perplexity', 'pseudo-perplexity'], ['seconds', 'seconds'], ['rung', 'memory rung'], ['message', 'note']]) {
      facts.push([label, table.columns[key].text(record)]);
    }
    byId('detail-facts').replaceChildren(...facts.filter(([, text]) => text).flatMap(([label, text]) => [
      element('dt', {}, label), element('dd', {}, visible(text))]));
    byId('detail-plots').replaceChildren();
    byId('detail-chains').replaceChildren();
    byId('detail-text').textContent = '';
    byId('detail-view').hidden = byId('selection').hidden = true;
    this.plots = [];
    this.detail = null;
    byId('detail').scrollIntoView({ block: 'nearest' });
    const place = data.detail[record];
    if (place < 0) {
      byId('detail-text').textContent = 'This page has no picture of this record.';
      return;
    }
    const detail = await readBlob(`data-detail-${place}`);
    if (this.shown !== record) return;  // another record was chosen while this one was read
    await this.fill(detail, record);
  }

  async fill(detail, record) {
    this.detail = detail;
    detail.name = this.data.id.at(detail.meta.record);
    if (detail.meta.record !== record) {
      byId('detail-text').textContent = `The same sequence as ${visible(detail.name)}; its structure is shown.`;
    }
    byId('selection').hidden = false;
    const select = (ranges) => setState({ select: residueText([...new Set(ranges.flatMap(([first, last]) => (
      Array.from({ length: last - first + 1 }, (_, i) => first + i))))].sort((a, b) => a - b)) });
    if (detail.plddt) this.plots.push(confidencePlot(detail, select));
    for (const name of Object.keys(mapKinds)) if (detail[name]) this.plots.push(mapPlot(detail, name, select));
    byId('detail-plots').replaceChildren(...this.plots.map((plot) => plot.node));
    const pairs = chainPairs(detail);
    if (pairs) byId('detail-chains').append(pairs);
    this.pdb = pdbText(detail);
    if (this.pdb) {
      byId('detail-view').hidden = false;
      await this.molecule.show(detail, this.pdb);
    } else if (detail.meta.no_pdb) {
      byId('detail-text').textContent = detail.meta.no_pdb;
    }
    this.markSelection();
    document.documentElement.dataset.shown = String(record);
  }

  pick(residue, adds) {
    if (residue === undefined) return;
    const before = adds ? residuesIn(state.get('select') || '', this.detail.meta.residues.length) : [];
    setState({ select: residueText([...new Set([...before, residue])].sort((a, b) => a - b)) });
  }

  markSelection() {
    if (!this.detail) return;
    const selected = residuesIn(state.get('select') || '', this.detail.meta.residues.length);
    for (const plot of this.plots) plot.mark(selected);
    if (this.pdb) this.molecule.select(selected);
    byId('selection-clear').hidden = selected.length === 0;
    byId('selection-text').textContent = selected.length ? `${selected.length} residues are selected` : '';
    const input = byId('selection-input');
    if (input !== document.activeElement) input.value = residueText(selected);
  }
}
