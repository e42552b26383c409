// The question at the foot of the page, and what was typed before.

import {byId, forget, ready, remember, remembered, state} from './shell.js';
import {ask, start} from './chat.js';

const box = () => byId('ta-question');
const hint = (words) => { byId('ta-hint').textContent = words; };

// The question ------------------------------------------------------------------------------------

const draftKey = () => `ta-draft-${state.conversation}`;
const keepDraft = () => {
  if (box().value) remember(draftKey(), box().value);
  else forget(draftKey());
};
const fill = (words) => {
  box().value = words;
  grow();
};
const grow = () => {
  box().style.height = 'auto';
  box().style.height = `${Math.min(box().scrollHeight, 160)}px`;
};

const submit = () => {
  if (!/[\p{L}\p{N}]/u.test(box().value)) return hint(byId('ta-composer').dataset.empty);
  return ask({text: box().value});
};

// Not the browser's autofocus: that scrolls the page, and brings up the keyboard of a phone.
export const focusBox = () => {
  if (matchMedia('(hover: hover)').matches) box().focus({preventScroll: true});
};

const asked = () => [...document.querySelectorAll('#ta-turns .ta-question')].map((e) => e.textContent);
let recalled = 0;

const recall = (step) => {
  const all = asked();
  const next = recalled + step;
  if (next < 0 || next > all.length) return false;
  recalled = next;
  fill(recalled ? all[all.length - recalled] : '');
  return true;
};

const keys = (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    submit();
  }
  const atStart = box().selectionStart === 0 && box().selectionEnd === 0;
  const atEnd = box().selectionEnd === box().value.length;
  if (event.key === 'ArrowUp' && (!box().value || (recalled && (atStart || atEnd))) && recall(1))
    event.preventDefault();
  if (event.key === 'ArrowDown' && recalled && atEnd && recall(-1)) event.preventDefault();
};

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  if (event.key === '/' && !typing) {
    event.preventDefault();
    box().focus();
  }
  if (event.key === 'n' && !typing && !event.target.closest?.('[role=listbox]')) start();
});

// Its life ----------------------------------------------------------------------------------------

document.addEventListener('ta:refused', ({detail}) => {
  hint(detail.hint);
  if (!box().value) fill(detail.request);
});
document.addEventListener('ta:opened', () => {
  hint('');
  recalled = 0;
  fill(remembered(draftKey()));
});
document.addEventListener('ta:answer', ({detail}) => {
  if (!detail.turn.querySelector('[data-restore]') || box().value) return;
  fill(detail.turn.querySelector('.ta-question').textContent);
  keepDraft();
});
document.addEventListener('ta:placed', ({detail}) => {
  forget(draftKey());
  // What is typed meanwhile goes with the conversation.
  if (detail.stays) setTimeout(keepDraft);
});
document.addEventListener('ta:focus', focusBox);
document.addEventListener('ta:finished', () => { byId('ta-send').disabled = false; });

ready.then(() => {
  byId('ta-composer').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  box().addEventListener('keydown', keys);
  box().addEventListener('input', () => {
    hint('');
    recalled = 0;
    grow();
    keepDraft();
  });
  box().addEventListener('ta:asked', () => {
    // The draft stays until the question is kept by the server.
    fill('');
    hint('');
    recalled = 0;
    byId('ta-send').disabled = true;
    focusBox();
  });
  // Who types faster than the page starts loses nothing, and an Enter by then is meant.
  const early = box().value;
  fill(early.trimEnd() || remembered(draftKey()));
  if (early) keepDraft();
  if (early.endsWith('\n')) submit();
  focusBox();
});
