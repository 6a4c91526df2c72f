// What the program put into the page: elements whose text is base64 of gzip of numbers and texts. docs/report.md has
// the form.

const arrayTypes = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array, i4: Int32Array };

function bytesOfBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function unpacked(id) {
  const bytes = bytesOfBase64(document.getElementById(id).textContent);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

// Undoes Blob::add_differences.
function sumOfDifferences(bytes, count) {
  const values = new Int32Array(count);
  let before = 0;
  for (let i = 0; i < count; ++i) {
    const folded = bytes[i] | (bytes[count + i] << 8) | (bytes[2 * count + i] << 16) | (bytes[3 * count + i] << 24);
    before = (before + ((folded >>> 1) ^ -(folded & 1))) | 0;
    values[i] = before;
  }
  return values;
}

// A column of texts, each decoded when it is asked for.
class Texts {
  constructor(bytes, offsets) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.decoder = new TextDecoder();
  }
  get length() { return this.offsets.length - 1; }
  at(i) { return this.decoder.decode(this.bytes.subarray(this.offsets[i], this.offsets[i + 1])); }
  all() { return Array.from({ length: this.length }, (_, i) => this.at(i)); }
}

function arrayOf(buffer, base, { type, at, count }) {
  if (type === 'differences') return sumOfDifferences(new Uint8Array(buffer, base + at, 4 * count), count);
  return new arrayTypes[type](buffer, base + at, count);
}

// The element's meta, and its arrays by name.
async function readBlob(id) {
  const buffer = await unpacked(id);
  const size = new DataView(buffer).getUint32(0, true);
  const { meta, arrays } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const base = Math.ceil((4 + size) / 8) * 8;
  const blob = { meta };
  for (const [name, array] of Object.entries(arrays)) {
    if (array.type !== 'text') blob[name] = arrayOf(buffer, base, array);
  }
  for (const [name, array] of Object.entries(arrays)) {
    if (array.type !== 'text') continue;
    const offsets = blob[`${name}.offsets`];
    blob[name] = new Texts(new Uint8Array(buffer, base + array.at, offsets[array.count]), offsets);
  }
  return blob;
}

// Characters that cannot be seen, or that turn the direction of writing, by their numbers: as in html.cc.
function visible(text) {
  const invisible = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const number = (letter) => letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return text.replace(invisible, (letter) => `⟨U+${number(letter)}⟩`);
}

// An element with properties, attributes (those with a '-', and role) and children. Texts become text, never HTML.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'role' || name === 'scope') made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

function byId(id) { return document.getElementById(id); }
