// Suggestions while a question is typed: a list over the question's box, from which the arrows and
// Enter choose. Where nothing is chosen Enter asks, as always.

import {byId, on, part, ready, say} from './shell.js';

const PAUSE = 80;
const LONGEST = 500;

const box = () => byId('ta-question');
const list = () => byId('ta-suggest');
const options = () => [...list().querySelectorAll('[role=option]')];
const chosen = () => list().querySelector('[aria-selected=true]');

let waiting = 0;
let request = null;
let taking = false;

const close = () => {
  clearTimeout(waiting);
  request?.abort();
  list().hidden = true;
  list().innerHTML = '';
  box().setAttribute('aria-expanded', 'false');
  box().removeAttribute('aria-activedescendant');
};

const choose = (option) => {
  chosen()?.setAttribute('aria-selected', 'false');
  if (!option) return box().removeAttribute('aria-activedescendant');
  option.setAttribute('aria-selected', 'true');
  option.scrollIntoView({block: 'nearest'});
  return box().setAttribute('aria-activedescendant', option.id);
};

const move = (step) => {
  const all = options();
  const at = all.indexOf(chosen());
  // Beyond either end nothing is chosen: what was typed may be asked as it is.
  choose(at < 0 ? all.at(step > 0 ? 0 : -1) : all[at + step]);
};

const take = (option) => {
  // The server counts characters, JavaScript the halves of some.
  const before = [...box().value].slice(0, Number(option.dataset.start)).join('');
  box().value = before + option.textContent;
  close();
  taking = true;
  box().dispatchEvent(new Event('input', {bubbles: true}));
  taking = false;
  box().focus({preventScroll: true});
  box().setSelectionRange(box().value.length, box().value.length);
};
on('suggested', take);

const show = (html) => {
  list().innerHTML = html;
  const all = options();
  if (!all.length) return close();
  all.forEach((option, n) => { option.id = `ta-option-${n}`; });
  list().hidden = false;
  box().setAttribute('aria-expanded', 'true');
  box().removeAttribute('aria-activedescendant');
  return say(list().dataset.words.replace('{}', all.length));
};

const suggest = async () => {
  const typed = box().value;
  request?.abort();
  const mine = request = new AbortController();
  try {
    const html = await part('/page/suggest', {q: typed}, {signal: mine.signal});
    if (mine === request && box().value === typed && document.activeElement === box()) show(html);
  } catch (error) {
    if (mine === request) close();
  }
};

const typed = (event) => {
  if (taking || event.isComposing) return;
  const {value, selectionEnd} = box();
  clearTimeout(waiting);
  if (value.trim().length < 2 || value.length > LONGEST || selectionEnd < value.length) close();
  else waiting = setTimeout(suggest, PAUSE);
};

// Before the box's own keys: those leave alone what is taken here.
document.addEventListener('keydown', (event) => {
  if (event.target !== box() || event.isComposing || list().hidden) return;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') move(event.key === 'ArrowDown' ? 1 : -1);
  else if (event.key === 'Enter' && !event.shiftKey && chosen()) take(chosen());
  else if (event.key === 'Escape') close();
  else return;
  event.preventDefault();
}, true);

ready.then(() => {
  box().addEventListener('input', typed);
  box().addEventListener('compositionend', typed);
  box().addEventListener('blur', close);
  box().addEventListener('ta:asked', close);
  // A press on an option must not take the focus from the box.
  list().addEventListener('pointerdown', (event) => event.preventDefault());
  list().addEventListener('mousedown', (event) => event.preventDefault());
  document.addEventListener('ta:opened', close);
});
