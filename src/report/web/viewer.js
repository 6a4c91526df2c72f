// The structure in 3D, drawn by 3Dmol.js, which is unpacked when the first structure is looked at.

// As in the AlphaFold database.
const confidenceBands = [
  { from: 90, color: '#0053d6', text: 'very high, from 90' },
  { from: 70, color: '#65cbf3', text: 'confident, 70 to 90' },
  { from: 50, color: '#ffdb13', text: 'low, 50 to 70' },
  { from: -Infinity, color: '#ff7d45', text: 'very low, below 50' },
];
const selectionColor = '#d81b9c';

function confidenceColor(plddt) { return confidenceBands.find((band) => plddt >= band.from).color; }

let library = null;

async function loadLibrary() {
  if (library) return library;
  const code = new TextDecoder().decode(await unpacked('data-viewer'));
  document.head.append(element('script', { textContent: code }));
  library = window.$3Dmol;
  return library;
}

// WebGL may be switched off, or lack a graphics driver.
function drawsIn3d() {
  const canvas = document.createElement('canvas');
  return Boolean(canvas.getContext('webgl2') || canvas.getContext('webgl'));
}

function swatch(color, text) {
  const box = svg('svg', { width: 14, height: 14, 'aria-hidden': 'true' }, svg('rect', { width: 14, height: 14, fill: color }));
  return element('span', { className: 'swatch' }, box, ` ${text}`);
}

class MoleculeView {
  // `picked(residue, adds)` is called for a residue that was clicked.
  constructor(picked) {
    this.picked = picked;
    this.selected = [];
    for (const id of ['color-by', 'show-as']) byId(id).addEventListener('change', () => this.remember());
    byId('spin').addEventListener('change', () => this.remember());
    byId('reset-view').addEventListener('click', () => { this.view.zoomTo(); this.view.render(); });
    byId('save-view').addEventListener('click', () => this.savePicture());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.select(this.selected));
  }

  remember() {
    const given = (id, usual) => (byId(id).value === usual ? '' : byId(id).value);
    setState({ color: given('color-by', 'plddt'), as: given('show-as', 'cartoon'), spin: byId('spin').checked ? '1' : '' });
    this.style();
  }

  async show(detail, text) {
    this.detail = detail;
    this.canDraw ??= drawsIn3d();
    for (const node of document.querySelectorAll('.needs-3d')) node.hidden = !this.canDraw;
    byId('no-3d').hidden = this.canDraw;
    if (!this.canDraw) return;
    const lib = await loadLibrary();
    byId('color-by').value = state.get('color') || 'plddt';
    byId('show-as').value = state.get('as') || 'cartoon';
    byId('spin').checked = state.has('spin');
    this.view ??= lib.createViewer(byId('viewer'), { antialias: true });
    this.residueAt = new Map();
    let residue = 0;
    detail.meta.chain_lengths.forEach((length, chain) => {
      for (let i = 1; i <= length; ++i) this.residueAt.set(`${detail.meta.chain_names[chain]} ${i}`, residue++);
    });
    this.view.removeAllModels();
    this.view.addModel(text, 'pdb');
    this.view.setClickable({}, true, (atom, _, event) => this.picked(this.residueOf(atom), event?.shiftKey));
    this.style();
    this.view.zoomTo();
    this.view.render();
  }

  residueOf(atom) { return this.residueAt.get(`${atom.chain} ${atom.resi}`); }

  select(selected) {
    this.selected = selected;
    if (this.view && this.detail) this.style();
  }

  colorOf(atom) {
    const by = byId('color-by').value;
    if (by === 'chain') return distinctColors[this.detail.meta.chain_names.indexOf(atom.chain) % distinctColors.length];
    if (by === 'position') return colorAlong(viridis, this.residueOf(atom) / Math.max(1, this.detail.meta.residues.length - 1));
    return confidenceColor(atom.b);
  }

  style() {
    const colorfunc = (atom) => this.colorOf(atom);
    const shapes = { cartoon: { cartoon: { colorfunc } }, stick: { stick: { radius: 0.2, colorfunc } },
      sphere: { sphere: { colorfunc } } };
    this.view.setBackgroundColor(getComputedStyle(document.body).backgroundColor);
    this.view.setStyle({}, shapes[byId('show-as').value]);
    const chosen = new Set(this.selected);
    if (chosen.size) {
      this.view.addStyle({ predicate: (atom) => chosen.has(this.residueOf(atom)) },
        { stick: { radius: 0.35, color: selectionColor } });
    }
    this.view.spin(byId('spin').checked ? 'y' : false);
    this.view.render();
    this.legend();
  }

  legend() {
    const by = byId('color-by').value;
    const { chain_names: names } = this.detail.meta;
    const rows = {
      plddt: () => confidenceBands.map(({ color, text }) => swatch(color, text)),
      chain: () => names.map((name, i) => swatch(distinctColors[i % distinctColors.length], `chain ${name}`)),
      position: () => [0, 0.5, 1].map((part, i) => swatch(colorAlong(viridis, part), ['first', 'middle', 'last'][i])),
    };
    byId('legend').replaceChildren(...rows[by]());
  }

  savePicture() {
    const bytes = bytesOfBase64(this.view.pngURI().split(',')[1]);
    save(fileName(this.detail.name, 'png'), new Blob([bytes], { type: 'image/png' }));
  }
}
