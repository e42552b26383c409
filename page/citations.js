// A citation in an answer: its quote on the spot, in the paragraph around it, and the article at a
// click. What is shown is copied from the source's card, which stands beside or below the answer.

import {byId, on, overlays} from './shell.js';
import {read} from './article.js';

const INTENT = 180;
const LINGER = 260;
const EDGE = 8;

let shown = null;
let timer = 0;

const later = (act, delay) => {
  clearTimeout(timer);
  timer = setTimeout(act, delay);
};

const popover = () => byId('ta-cited');

const made = (link, mark) => {
  const card = mark.closest('.ta-card');
  const element = document.createElement('span');
  element.id = 'ta-cited';
  element.setAttribute('role', 'dialog');
  element.setAttribute('aria-label', link.getAttribute('aria-label'));
  for (const part of ['h4', '.ta-byline']) element.append(card.querySelector(part).cloneNode(true));
  const quote = mark.closest('blockquote').cloneNode(true);
  for (const each of quote.querySelectorAll('mark')) {
    // The other quotes of the paragraph are not what this citation is about.
    if (each.id !== mark.id) each.replaceWith(...each.childNodes);
    each.removeAttribute('id');
    each.removeAttribute('tabindex');
  }
  quote.id = 'ta-cited-quote';
  element.append(quote);
  const open = card.querySelector('.ta-doors [data-do=read]')?.cloneNode(true);
  if (open) {
    open.href = link.href;
    open.dataset.article = link.dataset.article;
    element.append(open);
  }
  return element;
};

const place = () => {
  if (!shown) return;
  const element = popover();
  const link = shown.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: height} = element;
  const floor = byId('ta-foot').getBoundingClientRect().top;
  const fits = link.bottom + height + EDGE <= floor || link.top - height - EDGE < 0;
  const top = fits ? Math.min(link.bottom + 6, innerHeight - height - EDGE) : link.top - height - 6;
  // In the answer's column, so that the sources beside it stay in sight.
  const column = shown.closest('.said').getBoundingClientRect();
  const left = Math.min(link.left - 24, Math.max(column.right - width, column.left),
    document.documentElement.clientWidth - width - EDGE);
  element.style.top = `${Math.max(top, EDGE)}px`;
  element.style.left = `${Math.max(left, EDGE)}px`;
};

const show = (link) => {
  clearTimeout(timer);
  if (shown === link) return;
  hide();
  const mark = byId(link.dataset.to);
  // A turn that is still being written is written anew under the pointer.
  if (!mark || link.closest('[aria-busy=true]')) return;
  shown = link;
  link.after(made(link, mark));
  link.setAttribute('aria-describedby', 'ta-cited-quote');
  link.classList.add('on');
  const card = mark.closest('.ta-card');
  card.classList.add('on');
  const sources = card.closest('.beside');
  if (sources.scrollHeight > sources.clientHeight)
    sources.scrollTop += card.getBoundingClientRect().top - sources.getBoundingClientRect().top;
  place();
};

const hide = () => {
  clearTimeout(timer);
  if (!shown) return;
  popover()?.remove();
  shown.removeAttribute('aria-describedby');
  for (const each of document.querySelectorAll('.ta-card.on, .ta-cite.on')) each.classList.remove('on');
  shown = null;
};

const over = (event) => event.target.closest?.('.ta-cite, #ta-cited');

document.addEventListener('pointerover', (event) => {
  if (event.pointerType === 'touch') return;
  const target = over(event);
  if (target?.matches('.ta-cite')) later(() => show(target), shown ? LINGER / 2 : INTENT);
  else if (target) clearTimeout(timer);
  else if (shown && !shown.matches(':focus-visible')) later(hide, LINGER);
  else clearTimeout(timer);
});

document.addEventListener('focusin', (event) => {
  const target = over(event);
  if (target?.matches('.ta-cite:focus-visible')) show(target);
  else if (!target) hide();
});

let touched = false;
// Under a finger the quote lies over the page; one that came with the focus is no step of its own.
overlays.push(() => {
  const open = Boolean(shown) && touched;
  hide();
  return open;
});
document.addEventListener('pointerdown', (event) => {
  touched = event.pointerType === 'touch';
  if (!over(event)) hide();
});

on('cite', (link, event) => {
  // A finger cannot hover: its first tap shows the quote, and the article opens from there.
  if (touched && event.detail && shown !== link) return show(link);
  hide();
  return read(link);
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !shown) return;
  event.preventDefault();
  const link = shown;
  if (popover().contains(document.activeElement)) link.focus({preventScroll: true});
  hide();
});
// Before the article opens, so that the focus comes back to the citation when it closes.
document.addEventListener('click', (event) => {
  if (!shown || !event.target.closest('#ta-cited [data-do]')) return;
  shown.focus({preventScroll: true});
  hide();
}, true);
addEventListener('scroll', place, {passive: true});
addEventListener('resize', place);
document.addEventListener('ta:opened', hide);
