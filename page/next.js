// What to ask: next questions under the newest answer, examples on the empty page. Both are looked
// for while the page is read, and come when they are there.

import {byId, part, state} from './shell.js';

// Next questions ----------------------------------------------------------------------------------

let request = null;

const clear = () => {
  request?.abort();
  document.querySelectorAll('.ta-next').forEach((element) => element.remove());
};

const offer = async () => {
  clear();
  const turn = byId('ta-turns').lastElementChild;
  const said = turn?.querySelector('.said');
  if (!said || turn.getAttribute('aria-busy') === 'true' || !turn.querySelector('.ta-cite')) return;
  const mine = request = new AbortController();
  try {
    const {conversation} = state;
    const about = {conversation, turn: turn.dataset.number};
    const html = await part('/page/next', about, {signal: mine.signal});
    const still = mine === request && state.conversation === conversation;
    if (still && turn === byId('ta-turns').lastElementChild) said.insertAdjacentHTML('beforeend', html);
  } catch (error) { /* an answer stands without them */ }
};

document.addEventListener('ta:answer', offer);
document.addEventListener('ta:opened', offer);
document.addEventListener('ta:asking', clear);

// Examples ----------------------------------------------------------------------------------------

const AGAIN = 1500;
let looking = 0;

const begin = async () => {
  clearTimeout(looking);
  const place = byId('ta-begin');
  if (!place) return;
  try {
    place.innerHTML = await part('/page/examples');
  } catch (error) { /* the page begins without them */ }
  if (place.querySelector('[data-later]')) looking = setTimeout(begin, AGAIN);
};
document.addEventListener('ta:welcome', begin);
