// Was it right? One click says yes; no opens a small form in its place.

import {on, say, send} from './shell.js';

const boxOf = (element) => element.closest('.ta-verdict');
const formOf = (box) => box.querySelector('form');

/** Keep a verdict ('' takes it back), and show the turn's foot as it is then. */
const judge = async (box, said) => {
  const {conversation, number, failed} = box.dataset;
  const body = {conversation, number: Number(number), ...said};
  let answer;
  try {
    answer = await send('/page/feedback', body);
  } catch (error) {
    say(failed);
    box.querySelector('.ta-verdict-failed')?.remove();
    const told = document.createElement('p');
    told.className = 'ta-verdict-failed';
    told.textContent = failed;
    box.append(told);
    return;
  }
  const made = document.createElement('template');
  made.innerHTML = answer.html;
  const next = made.content.firstElementChild;
  box.replaceWith(next);
  const focused = next.querySelector('.ta-verdict-said, [data-do=judge-good]');
  focused.focus({preventScroll: true});
  focused.scrollIntoView({block: 'nearest'});
  if (said.verdict) say(focused.firstChild.textContent.trim());
};

const toggle = (box, open) => {
  formOf(box).hidden = !open;
  const opener = box.querySelector('[data-do=judge-bad]');
  opener.setAttribute('aria-expanded', String(open));
  if (open) formOf(box).querySelector('input:not([type=hidden])').focus();
  else opener.focus();
};

on('judge-good', (button) => judge(boxOf(button), {verdict: 'good'}));
on('judge-bad', (button) => toggle(boxOf(button), formOf(boxOf(button)).hidden));
on('judge-cancel', (button) => toggle(boxOf(button), false));
on('unjudge', async (button) => {
  const box = boxOf(button);
  const {conversation, number} = box.dataset;
  const said = JSON.parse(button.closest('.ta-verdict-said').dataset.said);
  await judge(box, {verdict: ''});
  // What was written before is changed, not written anew.
  const form = document.querySelector(
    `.ta-verdict[data-conversation="${CSS.escape(conversation)}"][data-number="${number}"] form`);
  for (const [name, value] of Object.entries(said))
    if (form && form.elements[name] && value) form.elements[name].value = value;
});

document.addEventListener('submit', (event) => {
  if (!event.target.matches('.ta-verdict-form')) return;
  event.preventDefault();
  judge(boxOf(event.target), {verdict: 'bad', ...Object.fromEntries(new FormData(event.target))});
});

document.addEventListener('keydown', (event) => {
  const form = event.key === 'Escape' && event.target.closest?.('.ta-verdict-form');
  if (!form) return;
  event.stopPropagation();
  toggle(boxOf(form), false);
}, true);
