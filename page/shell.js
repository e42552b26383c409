// What every part of the page builds on: its actions, its requests, its state, its addresses, and
// the panel beside the conversation.

// Actions -----------------------------------------------------------------------------------------

const actions = new Map();

/** Handle clicks on elements with data-do="action", wherever they are on the page. */
export const on = (action, handler) => actions.set(action, handler);

document.addEventListener('click', (event) => {
  const target = event.target.closest('[data-do]');
  const handler = target && actions.get(target.dataset.do);
  if (!handler) return;
  // A link opens elsewhere with the keys that browsers have for it.
  if (target.tagName === 'A') {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
  }
  handler(target, event);
});

export const announce = (name, detail) => document.dispatchEvent(new CustomEvent(name, {detail}));

// Requests ----------------------------------------------------------------------------------------

const address = (path, params) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params || {}))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null && each !== '') query.append(name, each);
  const words = query.toString();
  return words ? `${path}?${words}` : path;
};

class RequestError extends Error {
  constructor(status, detail) {
    super(detail || `status ${status}`);
    this.status = status;
  }
}

const checked = async (response) => {
  if (response.ok) return response;
  // Logged out meanwhile: the server knows the way to the login.
  if (response.status === 401) location.reload();
  let detail = '';
  try { detail = (await response.json()).detail; } catch (error) { /* no JSON: no detail */ }
  throw new RequestError(response.status, typeof detail === 'string' ? detail : '');
};

/** Get a fragment of the page as text; throws on failure, with `status`. */
export const part = async (path, params, options = {}) =>
  (await checked(await fetch(address(path, params), options))).text();

/** Get JSON; throws on failure, with `status`. */
export const value = async (path, params, options = {}) =>
  (await checked(await fetch(address(path, params), options))).json();

/** Post JSON and get JSON; throws on failure, with `status`. */
export const send = async (path, body) => (await checked(await fetch(path, {
  method: 'POST',
  headers: {'content-type': 'application/json'},
  body: JSON.stringify(body),
}))).json();

// State and addresses -----------------------------------------------------------------------------

/** The open conversation ('' for none yet), and the filter that the visitor set. */
export const state = {
  conversation: '',
  filter: {after: '', before: '', publishers: [], authors: []},
};

const NAMES = {
  conversation: 'percakapan', answer: 'jawaban',
  article: 'artikel', content: 'teks', spans: 'sorot',
};

/** What the address in the browser's bar names: {conversation, answer, article}, '' for none.

    With an article: the hash of its text (`content`) and what to highlight (`spans`: "12-40"). */
export const here = () => {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(
    Object.entries(NAMES).map(([key, name]) => [key, query.get(name) || '']));
};

/** Write an address: the present one with some of its values replaced ('' takes one out). */
export const addressOf = (changes) => {
  const query = new URLSearchParams(location.search);
  const all = changes.article === '' ? {...changes, content: '', spans: ''} : changes;
  for (const [key, value] of Object.entries(all))
    value === '' ? query.delete(NAMES[key]) : query.set(NAMES[key], value);
  const words = query.toString();
  return words ? `/?${words}` : '/';
};

/** Put an address in the bar; `replace` adds no step for the Back button. */
export const go = (changes, {replace = false} = {}) => {
  const url = addressOf(changes);
  if (url === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState']({...history.state, ours: !replace}, '', url);
  shown = here();
};

/** What lies over the page: each closes it and tells whether it was open. */
export const overlays = [];

let shown = here();
let restoring = false;
addEventListener('popstate', () => {
  // Back closes what lies over the page, and nothing else.
  if (restoring) { restoring = false; return; }
  if (overlays.map((close) => close()).some(Boolean)) {
    restoring = true;
    history.forward();
    return;
  }
  const before = shown;
  shown = here();
  announce('ta:address', {...shown, before});
});

// What this browser remembers; where it may keep nothing, nothing is remembered.
const kept = (act) => {
  try { return act(localStorage) || ''; } catch (error) { return ''; }
};
export const remember = (key, words) => kept((store) => store.setItem(key, words));
export const remembered = (key) => kept((store) => store.getItem(key));
export const forget = (key) => kept((store) => store.removeItem(key));
export const forgetAll = (begin) => kept((store) => Object.keys(store)
  .filter((key) => key.startsWith(begin)).forEach((key) => store.removeItem(key)));

// Elements ----------------------------------------------------------------------------------------

export const byId = (id) => document.getElementById(id);
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Say something to screen readers. */
export const say = (words) => {
  const region = byId('ta-heard');
  if (region && region.textContent !== words) region.textContent = words;
};

/** Copy a text to the clipboard. */
export const copyText = async (text) => {
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
};

/** Say on a button, for a moment, what it has done. */
export const done = (button) => {
  button.dataset.label ||= button.textContent;
  button.textContent = button.dataset.done;
  say(button.dataset.done);
  setTimeout(() => { button.textContent = button.dataset.label; }, 1800);
};

on('copy', async (button) => {
  await copyText(button.dataset.copy);
  done(button);
});

/** The panel beside the conversation: one article at a time. */
export const panel = {
  opener: null,
  get isOpen() { return !byId('ta-panel').hidden; },
  show(html, {label} = {}) {
    const element = byId('ta-panel');
    if (element.hidden) this.opener = document.activeElement;
    element.innerHTML = html;
    if (label) element.setAttribute('aria-label', label);
    element.hidden = false;
    document.body.classList.add('ta-beside');
    element.scrollTop = 0;
    const mark = element.querySelector('mark.here') || element.querySelector('mark');
    if (mark) this.reveal(mark);
    (element.querySelector('[data-do=close]') || element).focus({preventScroll: true});
  },
  /** Scroll the panel, and nothing else, to something in it. */
  reveal(target) {
    const element = byId('ta-panel');
    const place = target.getBoundingClientRect().top - element.getBoundingClientRect().top;
    element.scrollTop += place - element.clientHeight / 3;
  },
  close() {
    const element = byId('ta-panel');
    if (element.hidden) return;
    element.hidden = true;
    element.innerHTML = '';
    document.body.classList.remove('ta-beside');
    if (this.opener && this.opener.isConnected) this.opener.focus({preventScroll: true});
    this.opener = null;
  },
};

/** Resolve when the page's elements are there: Gradio makes them after it has started. */
export const ready = new Promise((resolve) => {
  const look = () => {
    if (!window.tanyaLive || !byId('ta-composer') || !byId('ta-panel') || !byId('ta-turns')) return false;
    resolve(window.tanyaLive);
    return true;
  };
  if (look()) return;
  const observer = new MutationObserver(() => look() && observer.disconnect());
  const watch = () => observer.observe(document.body, {childList: true, subtree: true});
  document.body ? watch() : addEventListener('DOMContentLoaded', watch);
  document.addEventListener('ta:live', () => look() && observer.disconnect());
});
