// The PDB file of a record, as `pleat export --format pdb` writes it, from the columns of packed_pdb.cc.

function fixed(value, decimals, width) {
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return `${value < 0 ? '-' : ''}${whole}.${digits.slice(digits.length - decimals)}`.padStart(width);
}

function atomLine(detail, i, serial) {
  const kind = detail.meta.pdb.kinds[detail.kind[i]];
  const place = fixed(detail.x[i], 3, 8) + fixed(detail.y[i], 3, 8) + fixed(detail.z[i], 3, 8);
  const residue = `${String.fromCharCode(detail.chain[i])}${String(detail.number[i]).padStart(4)}    `;
  return `ATOM  ${String(serial).padStart(5)} ${kind.slice(0, 9)}${residue}${place}  1.00${fixed(detail.b[i], 2, 6)}`
    + `          ${kind.slice(9)}`;
}

// '' where PDB cannot hold the structure.
function pdbText(detail) {
  const { pdb } = detail.meta;
  if (!pdb) return '';
  if (pdb.text) return pdb.text;
  const others = new Map(pdb.others);
  const lines = [];
  let serial = 0;
  let atom = 0;
  for (let i = 0; i < pdb.lines; ++i) {
    const other = others.get(i);
    if (other === undefined) {
      ++serial;
      lines.push(atomLine(detail, atom++, serial));
    } else {
      if (other.startsWith('TER')) ++serial;
      lines.push(other);
    }
  }
  return `${lines.join('\n')}\n`;
}
