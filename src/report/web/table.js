// The table of records: sorted, filtered, a page at a time.

const rowsOfPage = 50;

function recordColumns(data) {
  const { meta } = data;
  const number = (key, decimals) => ({
    key, number: true, value: (i) => data[key][i],
    text: (i) => (Number.isFinite(data[key][i]) ? data[key][i].toFixed(decimals) : ''),
  });
  const ofSequence = (key) => ({ ...number(key, 0), text: (i) => (data.length[i] ? String(data[key][i]) : '') });
  return {
    id: { key: 'id', value: (i) => data.id.at(i), text: (i) => data.id.at(i) },
    status: { key: 'status', value: (i) => data.status[i], text: (i) => meta.status[data.status[i]] },
    length: ofSequence('length'),
    chains: ofSequence('chains'),
    plddt: number('plddt', 1),
    ptm: number('ptm', 2),
    iptm: number('iptm', 2),
    ipsae: number('ipsae', 2),
    perplexity: number('perplexity', 2),
    seconds: number('seconds', 2),
    rung: { key: 'rung', value: (i) => data.rung[i], text: (i) => (data.rung[i] ? meta.rung[data.rung[i]] : '') },
    message: { key: 'message', value: (i) => data.message[i], text: (i) => data['message.texts'].at(data.message[i]) },
  };
}

// Rows in the order of a column; those without a value come last, whatever the direction, and equal ones keep theirs.
function sortedRows(rows, column, descending) {
  const values = new Map(rows.map((row) => [row, column.value(row)]));
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = values.get(a);
    const y = values.get(b);
    const lacking = Number.isNaN(x) - Number.isNaN(y);
    if (lacking) return lacking;
    return (x < y ? -sign : x > y ? sign : 0) || a - b;
  });
}

// Whether a record passes; `haystack` gives what is searched, in lower case.
function filterOf(data, state, haystack) {
  const words = (state.get('find') || '').toLowerCase().split(/\s+/).filter(Boolean);
  const limit = (name, otherwise) => (state.get(name) ? Number(state.get(name)) : otherwise);
  const status = data.meta.status.indexOf(state.get('status'));
  const [from, to] = [limit('from', -Infinity), limit('to', Infinity)];
  const plddt = limit('plddt', -Infinity);
  const chosen = state.get('chosen') ? new Set(state.get('chosen').split(',').map(Number)) : null;
  return (i) => (status < 0 || data.status[i] === status) && data.length[i] >= from && data.length[i] <= to
    && (plddt === -Infinity || data.plddt[i] >= plddt)
    && (!state.has('viewable') || data.detail[i] >= 0)
    && (!chosen || chosen.has(i))
    && words.every((word) => haystack(i).includes(word));
}

class RecordTable {
  constructor(data) {
    this.data = data;
    this.columns = recordColumns(data);
    this.everyRow = Array.from({ length: data.status.length }, (_, i) => i);
    this.texts = new Array(data.status.length);
    this.page = 0;
    this.table = byId('records');
    this.rows = this.everyRow;
    if (!this.table) return;
    this.heads = [...this.table.tHead.rows[0].cells];
    this.addHeads();
    this.addFilters();
    this.addPager();
    onState(() => this.update());
  }

  addHeads() {
    for (const head of this.heads) {
      const button = element('button', { type: 'button' }, head.textContent);
      const key = head.dataset.column;
      button.addEventListener('click', () => {
        const descending = (state.get('sort') || 'input') === key && !state.has('down');
        setState({ sort: key, down: descending ? '1' : '' });
      });
      head.replaceChildren(button);
    }
  }

  addFilters() {
    const { meta } = this.data;
    const inputs = { find: 'filter-text', status: 'filter-status', from: 'filter-shortest', to: 'filter-longest',
      plddt: 'filter-plddt', viewable: 'filter-viewable' };
    for (const word of meta.status) byId('filter-status').append(element('option', {}, word));
    byId('filter-plddt-label').hidden = !meta.structures;
    byId('filter-viewable-label').hidden = !this.data.detail?.some((place) => place >= 0);
    this.inputs = Object.entries(inputs).map(([name, id]) => [name, byId(id)]);
    for (const [name, input] of this.inputs) {
      const value = () => (input.type === 'checkbox' ? (input.checked ? '1' : '') : input.value);
      input.addEventListener('input', () => setState({ [name]: value() }));
    }
    const form = byId('filters');
    form.hidden = false;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', () => setState({ find: '', status: '', from: '', to: '', plddt: '', viewable: '',
      chosen: '' }));
  }

  addPager() {
    byId('pager').hidden = false;
    const go = (id, where) => byId(id).addEventListener('click', () => { this.page = where(); this.show(); });
    go('page-first', () => 0);
    go('page-back', () => this.page - 1);
    go('page-next', () => this.page + 1);
    go('page-last', () => this.pages - 1);
  }

  haystack(i) {
    const { data } = this;
    this.texts[i] ??= `${data.id.at(i)} ${data.description.at(i)} ${this.columns.message.text(i)}`.toLowerCase();
    return this.texts[i];
  }

  // Sorts and filters again where that has changed.
  update() {
    const names = ['find', 'status', 'from', 'to', 'plddt', 'viewable', 'chosen', 'sort', 'down'];
    const key = names.map((name) => state.get(name) || '').join('\n');
    if (key !== this.key) {
      this.key = key;
      this.page = 0;
      const passes = filterOf(this.data, state, (i) => this.haystack(i));
      this.rows = this.everyRow.filter(passes);
      const column = this.columns[state.get('sort')];
      if (column) this.rows = sortedRows(this.rows, column, state.has('down'));
    }
    for (const [name, input] of this.inputs) {
      if (input.type === 'checkbox') input.checked = state.has(name);
      else if (input !== document.activeElement) input.value = state.get(name) || '';
    }
    this.show();
  }

  get pages() { return Math.max(1, Math.ceil(this.rows.length / rowsOfPage)); }

  // Turns to the page that has this record, where it passes the filters.
  reveal(record) {
    const place = this.rows ? this.rows.indexOf(record) : -1;
    if (place >= 0) this.page = Math.floor(place / rowsOfPage);
  }

  show() {
    if (!this.table) return;
    this.page = Math.min(Math.max(this.page, 0), this.pages - 1);
    const begin = this.page * rowsOfPage;
    const shown = this.rows.slice(begin, begin + rowsOfPage);
    this.table.tBodies[0].replaceChildren(...shown.map((i) => this.row(i)));
    for (const head of this.heads) {
      const sorted = head.dataset.column === state.get('sort');
      if (sorted) head.setAttribute('aria-sort', state.has('down') ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    byId('filter-count').textContent = `${this.rows.length} of ${this.everyRow.length} records`;
    byId('page-text').textContent = shown.length ? `${begin + 1} to ${begin + shown.length}` : 'none';
    byId('page-first').disabled = byId('page-back').disabled = this.page === 0;
    byId('page-next').disabled = byId('page-last').disabled = this.page === this.pages - 1;
  }

  row(i) {
    const row = element('tr', {});
    for (const head of this.heads) row.append(this.cell(this.columns[head.dataset.column], i));
    if (state.get('record') === String(i)) row.classList.add('chosen');
    return row;
  }

  cell(column, i) {
    const text = visible(column.text(i));
    const cell = element('td', {});
    if (column.number) cell.className = 'number';
    if (column.key === 'id') {
      cell.className = 'id';
      const link = element('a', { href: `#record=${i}` }, element('bdi', {}, text));
      link.addEventListener('click', (event) => { event.preventDefault(); setState({ record: String(i) }); });
      cell.append(link);
      return cell;
    }
    if (column.key === 'status') cell.className = `status ${text}`;
    if (column.key === 'message') {
      cell.className = 'note';
      cell.title = text;
    }
    cell.append(element('bdi', {}, text));
    return cell;
  }
}
