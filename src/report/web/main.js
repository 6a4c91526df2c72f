// Begins when the whole page is there.

async function begin() {
  const data = await readBlob('data-table');
  const table = new RecordTable(data);
  new DetailView(data, table);
  showEmbeddings(data);
  showRun(data);
  addEventListener('hashchange', readAddress);
  readAddress();
  document.documentElement.dataset.ready = 'yes';
}

begin().catch((error) => {
  console.error(error);
  const text = 'This browser cannot show more than the first rows. Chromium can from version 80 on, Firefox from 113 on.';
  document.querySelector('main').prepend(element('p', { className: 'warning', role: 'alert' }, text));
});
