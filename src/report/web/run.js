// How the run went: lengths, and the pace by length.

// Residues a second of sequences from each power of two on: [{ label, value }]. Each sequence counts once.
function paceByLength(data) {
  const sums = new Map();
  for (let i = 0; i < data.length.length; ++i) {
    if (!data.first[i] || !(data.seconds[i] > 0)) continue;
    const power = Math.floor(Math.log2(data.length[i]));
    const sum = sums.get(power) || { residues: 0, seconds: 0 };
    sum.residues += data.length[i];
    sum.seconds += data.seconds[i];
    sums.set(power, sum);
  }
  return [...sums].sort(([a], [b]) => a - b).map(([power, { residues, seconds }]) => ({
    label: `${2 ** power}`, value: residues / seconds }));
}

function bars(title, label, unit, values) {
  if (values.length === 0) return null;
  const most = Math.max(...values.map(({ value }) => value));
  const ticks = values.map(({ label: name }, i) => [i + 0.5, name]);
  const plot = frame({ title, x: { low: 0, high: values.length, label, ticks }, y: { low: 0, high: most, label: unit }, left: 70 });
  values.forEach(({ label: name, value }, i) => {
    const words = `${name}: ${Number(value.toPrecision(4))} ${unit}`;
    plot.inner.append(svg('rect', { x: plot.x(i + 0.1), width: plot.x(i + 0.9) - plot.x(i + 0.1), y: plot.y(value),
      height: plot.y(0) - plot.y(value), fill: distinctColors[2] }, svg('title', {}, words)));
  });
  return withSaving(plot.node, title);
}

function showRun(data) {
  const known = data.length.filter((length) => length > 0);
  const plots = [
    histogram('Lengths of the records', 'residues', known),
    bars('Pace by length', 'residues, from', 'residues/s', paceByLength(data)),
    data.meta.structures ? histogram('Mean pLDDT', 'pLDDT', data.plddt) : null,
    data.meta.structures ? histogram('pTM', 'pTM', data.ptm) : null,
  ].filter(Boolean);
  byId('run-plots').hidden = plots.length === 0;
  byId('run-plots').append(...plots);
}
