// What the page shows stands in its address, behind '#', so that a link leads back to it.

const state = new URLSearchParams();
const stateListeners = [];

function stateIn(hash) {
  return hash.includes('=') ? new URLSearchParams(hash.replace(/^#/, '')) : new URLSearchParams();
}

// `changes`: names to values; an empty value takes the name away.
function setState(changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || value === null || value === undefined || value === false) state.delete(name);
    else state.set(name, value);
  }
  const text = state.toString();
  // A failing browser (a page in a frame of a mail program) only loses the address.
  const address = text ? `#${text}` : location.pathname + location.search;
  try { history.replaceState(null, '', address); } catch { /* as said */ }
  for (const listener of stateListeners) listener(state);
}

function onState(listener) { stateListeners.push(listener); }

function readAddress() {
  const given = stateIn(location.hash);
  if (location.hash && !location.hash.includes('=')) return;  // a link to a section
  for (const name of [...state.keys()]) state.delete(name);
  for (const [name, value] of given) state.set(name, value);
  for (const listener of stateListeners) listener(state);
}
