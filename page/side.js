// The conversations at the side: listed, looked for, opened, renamed, deleted.

import {announce, byId, forget, on, overlays, part, ready, remember, send, state} from './shell.js';

let skip = 0;
let latest = 0;

const list = async ({older = false} = {}) => {
  // A name that is being typed is not taken away.
  if (document.querySelector('.ta-rename:not([hidden])')) return;
  const request = ++latest;
  const words = byId('ta-side-words').value.trim();
  let html;
  try {
    html = await part('/page/conversations', {words, skip: older ? skip : 0});
  } catch (error) {
    return;
  }
  if (request !== latest) return;
  const holder = byId('ta-conversations');
  if (older) {
    holder.querySelector('[data-do=older]')?.remove();
    holder.insertAdjacentHTML('beforeend', html);
  } else {
    holder.innerHTML = html;
  }
  markOpen();
};

const markOpen = () => {
  for (const link of document.querySelectorAll('#ta-conversations .ta-open')) {
    if (link.dataset.id === state.conversation) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
};

const entry = (id) => document.querySelector(`.ta-listed[data-id="${CSS.escape(id)}"]`);

on('older', (button) => {
  skip = Number(button.dataset.skip);
  list({older: true});
});

on('rename', (button) => {
  const row = entry(button.dataset.id);
  row.querySelector('details').open = false;
  const form = row.querySelector('.ta-rename');
  form.hidden = false;
  form.elements.title.select();
});

on('delete', async (button) => {
  const {id, ask} = button.dataset;
  if (!confirm(ask)) return;
  try {
    await send('/page/conversation/delete', {id});
  } catch (error) {
    byId('ta-hint').textContent = byId('ta-conversations').dataset.failed;
    return;
  }
  forget(`ta-draft-${id}`);
  announce('ta:deleted', {conversation: id});
  list();
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.matches('.ta-side-search')) event.preventDefault();
  if (!form.matches('.ta-rename')) return;
  event.preventDefault();
  try {
    await send('/page/conversation/rename', {id: form.dataset.id, title: form.elements.title.value});
  } catch (error) {
    byId('ta-hint').textContent = byId('ta-conversations').dataset.failed;
    return;
  }
  form.hidden = true;
  await list();
  entry(form.dataset.id)?.querySelector('.ta-open').focus();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  const form = event.target.closest?.('.ta-rename');
  const menu = event.target.closest?.('.ta-menu[open]');
  if (form) {
    form.hidden = true;
    entry(form.dataset.id).querySelector('.ta-open').focus();
  } else if (menu) {
    menu.open = false;
    menu.querySelector('summary').focus();
  } else if (document.body.classList.contains('ta-side-open')) {
    side(false);
  }
});

// A menu that has no room below opens upwards.
const MENU_HEIGHT = 230;
document.addEventListener('toggle', ({target}) => {
  if (target.matches?.('.ta-menu[open]'))
    target.classList.toggle('up', target.getBoundingClientRect().bottom + MENU_HEIGHT > innerHeight);
}, true);

// One menu at a time, and none when elsewhere is clicked.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('.ta-menu[open]'))
    if (!menu.contains(event.target)) menu.open = false;
});

// On a narrow page the side lies over the conversation.
const side = (open) => {
  document.body.classList.toggle('ta-side-open', open);
  for (const button of document.querySelectorAll('[data-do=side][aria-expanded]'))
    button.setAttribute('aria-expanded', String(open));
  if (open && matchMedia('(hover: hover)').matches) byId('ta-side-words').focus({preventScroll: true});
};
overlays.push(() => {
  const open = document.body.classList.contains('ta-side-open');
  if (open) side(false);
  return open;
});
on('side', () => side(!document.body.classList.contains('ta-side-open')));
document.addEventListener('ta:side', ({detail}) => side(detail.open));
document.addEventListener('click', (event) => {
  if (document.body.classList.contains('ta-side-open') && !event.target.closest('#ta-side, [data-do=side]'))
    side(false);
});

// The look ----------------------------------------------------------------------------------------

on('theme', (button) => {
  const dark = !document.body.classList.contains('dark');
  remember('ta-theme', dark ? 'dark' : 'light');
  document.body.classList.toggle('dark', dark);
  button.setAttribute('aria-pressed', String(dark));
});

document.addEventListener('ta:conversations', () => list());
document.addEventListener('ta:opened', () => {
  markOpen();
  side(false);
});

ready.then(() => {
  state.conversation ||= '';
  byId('ta-side-words').addEventListener('input', () => list());
  document.querySelector('[data-do=theme]')
    .setAttribute('aria-pressed', String(document.body.classList.contains('dark')));
  list();
});
