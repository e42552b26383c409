// Runs once for each component that shows turns. Gradio keeps `element` and replaces what is in it,
// so that one listener on it serves every turn; `trigger`, `server` and `watch` are Gradio's.

const reader = () => {
  let dialog = document.getElementById('ta-reader');
  if (dialog) return dialog;
  dialog = document.createElement('dialog');
  dialog.id = 'ta-reader';
  dialog.setAttribute('aria-labelledby', 'ta-reader-title');
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog || event.target.closest('[data-do=close]')) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
};

// Screen readers read out what comes into it; the region must not come and go with the turns.
const statusRegion = () => {
  let region = document.getElementById('ta-heard');
  if (region) return region;
  region = document.createElement('p');
  region.id = 'ta-heard';
  region.className = 'ta-only-heard';
  region.setAttribute('role', 'status');
  document.body.append(region);
  return region;
};

const showInReader = (html) => {
  const dialog = reader();
  dialog.innerHTML = html;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const mark = dialog.querySelector('mark');
  if (mark) mark.scrollIntoView({block: 'center'});
  dialog.querySelector('[data-do=close]').focus({preventScroll: true});
};

let requests = 0;
const openArticle = async (button) => {
  const request = ++requests;
  showInReader(element.querySelector('template.ta-opening').innerHTML);
  let html;
  try {
    html = await server.read_article(JSON.parse(button.dataset.article));
  } catch (error) {
    html = undefined;
  }
  // Gradio resolves a request that failed, too, but not to a text.
  if (typeof html !== 'string') html = element.querySelector('template.ta-unreachable').innerHTML;
  if (request === requests && reader().open) showInReader(html);
};

const pointAt = (link) => {
  const mark = document.getElementById(link.dataset.to);
  if (!mark) return;
  document.querySelectorAll('.ta-card.on, .ta-cite.on').forEach((e) => e.classList.remove('on'));
  link.classList.add('on');
  mark.closest('.ta-card').classList.add('on');
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  mark.scrollIntoView({block: 'center', behavior: calm ? 'auto' : 'smooth'});
  mark.focus({preventScroll: true});
};

const copy = async (button) => {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch (error) {
    // Without https a page may not use the clipboard; the old way still works there.
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = before; }, 1800);
};

const edit = (button) => {
  const form = document.getElementById(button.dataset.form);
  form.hidden = !form.hidden;
  element.querySelectorAll('[data-do=edit][aria-controls]').forEach((other) => {
    if (other.dataset.form === form.id) other.setAttribute('aria-expanded', String(!form.hidden));
  });
  if (!form.hidden) form.querySelector('input').select();
};

// Not Gradio's autofocus: that scrolls the page, and brings up the keyboard of a phone.
const focusBox = () => {
  const box = document.querySelector('#ta-question textarea');
  if (box && matchMedia('(hover: hover)').matches) box.focus({preventScroll: true});
};

element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-do]');
  if (!target) return;
  const act = target.dataset.do;
  if (act === 'cite') { event.preventDefault(); pointAt(target); }
  if (act === 'read') openArticle(target);
  if (act === 'copy') copy(target);
  if (act === 'edit') edit(target);
  if (act === 'ask') {
    trigger('submit', JSON.parse(target.dataset.ask));
    focusBox();
  }
});

element.addEventListener('keydown', (event) => {
  const form = event.target.closest && event.target.closest('form.ta-edit');
  if (event.key !== 'Escape' || !form) return;
  const opener = element.querySelector(`[data-do=edit][data-form="${form.id}"][aria-controls]`);
  edit(opener);
  opener.focus({preventScroll: true});
});

// The dates of a question that had some, and its publishers, which the form does not show.
const limitsOf = (form) => {
  const ends = form.querySelector('.ends');
  if (!ends) return {};
  return {edited: true, limits: {
    after: form.elements.after.value,
    before: form.elements.before.value,
    publishers: JSON.parse(ends.dataset.publishers),
    authors: JSON.parse(ends.dataset.authors),
  }};
};

element.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  trigger('submit', {
    text: form.elements.text.value,
    turn: Number(form.dataset.turn),
    ...limitsOf(form),
  });
  focusBox();
});

focusBox();
// A new question is brought to the top of the window, and once more when its answer is complete,
// unless the reader has gone elsewhere meanwhile.
let shown = '', complete = '', moved = false;
for (const act of ['wheel', 'touchmove', 'keydown'])
  window.addEventListener(act, () => { moved = true; }, {passive: true});
const toTop = (turn) => setTimeout(() => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  turn.scrollIntoView({block: 'start', behavior: calm ? 'auto' : 'smooth'});
}, 50);
watch('value', () => {
  const turn = element.querySelector('.ta-turn.newest');
  if (!turn) return;
  const done = turn.getAttribute('aria-busy') === 'false';
  const status = turn.dataset.heard;
  if (status && statusRegion().textContent !== status) statusRegion().textContent = status;
  if (turn.id !== shown) {
    shown = turn.id;
    moved = false;
    toTop(turn);
  }
  if (done && turn.id !== complete) {
    complete = turn.id;
    if (!moved) toTop(turn);
  }
  if (!done) complete = '';
});
