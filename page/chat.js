// The conversation: a question asked, its answer as it grows, the turns before it, and the address
// of each. The turn that is being written is a component of Gradio's; a complete one moves to the
// turns before, which are ours.

import {announce, byId, calm, go, here, on, part, ready, say, state} from './shell.js';

const turns = () => byId('ta-turns');
const welcome = () => byId('ta-welcome');
let live = null;
let asking = null;
let opening = 0;
let loading = 0;
let moved = false;

for (const act of ['wheel', 'touchmove', 'keydown'])
  addEventListener(act, () => { moved = true; }, {passive: true});

const toTop = (turn) => setTimeout(() => turn.scrollIntoView(
  {block: 'start', behavior: calm() ? 'auto' : 'smooth'}), 50);

// Asking ------------------------------------------------------------------------------------------

/** Ask in the open conversation; returns whether it could be asked now. */
export const ask = (request) => {
  if (asking || loading || !live) return false;
  // `view` is what was shown when it was asked; `conversation` is known with its first words.
  asking = {conversation: null, number: 0, view: opening, text: request.text};
  document.body.classList.add('ta-asking');
  welcome().hidden = true;
  // A question that failed gives way to the next one.
  turns().querySelector(':scope > .ta-turn:last-child:has([data-restore])')?.remove();
  byId('ta-question').dispatchEvent(new CustomEvent('ta:asked', {detail: request}));
  announce('ta:asking', request);
  live.trigger('submit', {...state.filter, ...request, conversation: state.conversation});
  return true;
};

on('ask', (button) => {
  const request = JSON.parse(button.dataset.ask);
  if (request.clear) announce('ta:unfilter');
  ask(request);
});

// Gradio says nothing to the page of a question that did not get through.
const plain = window.fetch;
window.fetch = async (...given) => {
  const sends = String(given[0]?.url ?? given[0]).includes('/gradio_api/queue/join');
  try {
    const response = await plain(...given);
    if (sends && !response.ok) unsent(response.clone());
    return response;
  } catch (error) {
    if (sends) unsent();
    throw error;
  }
};

const unsent = async (response) => {
  let hint = byId('ta-composer').dataset.unsent;
  try { hint = (await response.json()).detail; } catch (error) { /* nothing came back */ }
  if (!asking || asking.conversation !== null) return;
  const {text} = asking;
  finished();
  if (!turns().children.length) welcome().hidden = false;
  announce('ta:refused', {hint, request: text});
};

const written = () => {
  const turn = live.element.querySelector('.ta-turn, .ta-refused');
  if (!turn || !asking) return;
  if (turn.matches('.ta-refused')) {
    finished();
    if (!turns().children.length) welcome().hidden = false;
    announce('ta:refused', {hint: turn.dataset.hint, request: turn.dataset.question});
    return;
  }
  const {conversation, number, heard} = turn.dataset;
  const first = asking.conversation === null;
  // The visitor may have gone to another conversation: the answer waits for them in its own.
  const stays = first ? asking.view === opening : asking.conversation === state.conversation;
  live.element.hidden = !stays;
  if (first) {
    Object.assign(asking, {conversation, number});
    announce('ta:placed', {conversation, stays});
    if (stays) settle(turn, conversation, number);
    announce('ta:conversations');
  }
  const done = turn.getAttribute('aria-busy') === 'false';
  if (!stays) {
    if (done) finished();
    return;
  }
  if (heard) say(heard);
  if (!done) return;
  const complete = place(turn);
  finished();
  if (!moved) toTop(complete);
  announce('ta:conversations');
  announce('ta:answer', {turn: complete, conversation, number: Number(number)});
};

// Give the conversation that a question belongs to its address; one that was deleted in another tab
// begins anew.
const settle = (turn, conversation, number) => {
  if (state.conversation && conversation && state.conversation !== conversation)
    turns().replaceChildren();
  state.conversation = conversation;
  if (conversation) go({conversation, answer: number, article: ''});
  moved = false;
  toTop(turn);
};

const place = (turn) => {
  const copy = turn.cloneNode(true);
  byId(turn.id) !== turn && turns().contains(byId(turn.id)) && byId(turn.id).remove();
  turns().append(copy);
  markNewest();
  turn.remove();
  return copy;
};

const markNewest = () => {
  for (const turn of turns().children) turn.classList.toggle('newest', turn === turns().lastElementChild);
};

const finished = () => {
  asking = null;
  document.body.classList.remove('ta-asking');
  announce('ta:finished');
};

// Opening -----------------------------------------------------------------------------------------

/** Show a conversation, or with '' the empty page; `answer` is the number of the turn to show. */
export const open = async (conversation, answer = '') => {
  if (conversation && conversation === state.conversation && !loading) return showAnswer(answer);
  const request = ++opening;
  let html = '';
  let failed = null;
  if (conversation) {
    loading = request;
    try {
      html = await part('/page/conversation', {id: conversation});
    } catch (error) {
      failed = error;
    }
  }
  if (request !== opening) return undefined;
  loading = 0;
  state.conversation = failed ? '' : conversation;
  turns().innerHTML = failed ? byId(failed.status === 404 ? 'ta-lost' : 'ta-unreached').innerHTML : html;
  live.element.hidden = !(asking && conversation && asking.conversation === conversation);
  // The one that is being written stands in the live component.
  if (!live.element.hidden) turns().querySelector(`#ta-turn-${asking.number}`)?.remove();
  markNewest();
  welcome().hidden = Boolean(conversation);
  announce('ta:opened', {conversation: state.conversation});
  if (html) showAnswer(answer);
  else scrollTo({top: 0});
  follow();
  return undefined;
};

const showAnswer = (answer) => {
  const turn = (answer && byId(`ta-turn-${answer}`)) || turns().lastElementChild;
  if (turn) turn.scrollIntoView({block: 'start'});
};

// An answer that is written for another tab, or since before a reload, is asked for until it is there.
let following = 0;
const follow = () => {
  clearTimeout(following);
  const busy = turns().querySelector('[aria-busy=true]');
  if (!busy) return;
  const {conversation} = state;
  following = setTimeout(async () => {
    let html = '';
    try {
      html = await part('/page/conversation', {id: conversation});
    } catch (error) {
      // It is asked for again.
    }
    if (!busy.isConnected) return;
    const holder = document.createElement('template');
    holder.innerHTML = html;
    const fresh = holder.content.getElementById(busy.id);
    if (fresh && fresh.getAttribute('aria-busy') === 'false') {
      busy.replaceWith(fresh);
      markNewest();
      announce('ta:answer', {turn: fresh, conversation, number: Number(fresh.dataset.number)});
    }
    follow();
  }, 1500);
};

on('new', () => start());

/** Begin a new conversation; the one that is open stays at the side. */
export const start = () => {
  go({conversation: '', answer: '', article: ''});
  open('').then(() => announce('ta:focus'));
};

on('open', (link) => {
  go({conversation: link.dataset.id, answer: '', article: ''});
  open(link.dataset.id);
  announce('ta:side', {open: false});
});

document.addEventListener('ta:address', ({detail}) => {
  // An article that opens or closes beside an answer does not move it.
  const {conversation, answer, before} = detail;
  if (conversation !== before.conversation || answer !== before.answer) open(conversation, answer);
});
document.addEventListener('ta:deleted', ({detail}) => {
  if (detail.conversation === state.conversation) {
    go({conversation: '', answer: '', article: ''}, {replace: true});
    open('');
  }
});

// What was understood, put right ------------------------------------------------------------------

const edit = (button) => {
  const form = byId(button.dataset.form);
  form.hidden = !form.hidden;
  for (const other of document.querySelectorAll('[data-do=edit][aria-controls]'))
    if (other.dataset.form === form.id) other.setAttribute('aria-expanded', String(!form.hidden));
  if (!form.hidden) form.querySelector('input').select();
};
on('edit', edit);

document.addEventListener('keydown', (event) => {
  const form = event.key === 'Escape' && event.target.closest?.('form.ta-edit');
  if (!form) return;
  const opener = document.querySelector(`[data-do=edit][data-form="${form.id}"][aria-controls]`);
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

document.addEventListener('submit', (event) => {
  if (!event.target.matches('form.ta-edit')) return;
  event.preventDefault();
  const form = event.target;
  ask({text: form.elements.text.value, turn: Number(form.dataset.turn), ...limitsOf(form)});
});

// The beginning -----------------------------------------------------------------------------------

ready.then((component) => {
  live = component;
  live.watch('value', written);
  const {conversation, answer} = here();
  if (conversation) open(conversation, answer);
  begin();
});
document.addEventListener('ta:version', () => begin());
const begin = () => part('/page/welcome').then((html) => {
  welcome().innerHTML = html;
  announce('ta:welcome');
}).catch(() => {});
