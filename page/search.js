// All articles behind a turn: its tabs, and the list that is sorted, paged and narrowed.

import {byId, calm, on, part, say} from './shell.js';

// Tabs --------------------------------------------------------------------------------------------

const tabsOf = (turn) => [...turn.querySelectorAll(':scope [role=tab]')];
const panelOf = (tab) => byId(tab.getAttribute('aria-controls'));
const listOf = (turn) => turn.querySelector('.ta-every');

const select = (tab) => {
  const turn = tab.closest('.ta-turn');
  for (const each of tabsOf(turn)) {
    const selected = each === tab;
    each.setAttribute('aria-selected', String(selected));
    each.tabIndex = selected ? 0 : -1;
    panelOf(each).hidden = !selected;
  }
  const list = listOf(turn);
  turn.classList.toggle('ta-listing', !list.hidden);
  if (!list.hidden && !list.dataset.shown) show(list, {});
};
on('tab', select);

document.addEventListener('keydown', (event) => {
  const tab = event.target.closest?.('.ta-tabs [role=tab]');
  if (!tab) return;
  const tabs = tabsOf(tab.closest('.ta-turn'));
  const at = tabs.indexOf(tab);
  const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs[(to + tabs.length) % tabs.length];
  select(next);
  next.focus();
});

// The list ----------------------------------------------------------------------------------------

const requests = new WeakMap();
const narrowed = (list) => JSON.parse(list.dataset.narrowed || '{}');

/** Get the list of a panel with some of its choices changed, and put it there. */
const show = async (list, changes, key = '') => {
  const request = (requests.get(list) || 0) + 1;
  requests.set(list, request);
  const choices = {...narrowed(list), page: '', ...changes};
  list.setAttribute('aria-busy', 'true');
  let html = '';
  try {
    html = await part('/page/search', {...JSON.parse(list.dataset.query), ...choices});
  } catch (error) {
    if (requests.get(list) === request) fail(list);
    return;
  }
  // Another choice was made, or the conversation was left, in the meantime.
  if (requests.get(list) !== request || !list.isConnected) return;
  put(list, html, key);
  list.dataset.narrowed = JSON.stringify(choices);
  list.dataset.shown = 'true';
};

const fail = (list) => {
  list.removeAttribute('aria-busy');
  if (!list.dataset.shown) {
    const words = document.createElement('p');
    words.className = 'ta-unlisted';
    words.textContent = list.dataset.failed;
    list.replaceChildren(words);
  }
  if (!list.hidden) say(list.dataset.failed);
};

const put = (list, html, key) => {
  const folded = foldedIn(list);
  list.innerHTML = html;
  list.removeAttribute('aria-busy');
  fold(list, folded);
  const found = list.querySelector('.ta-found');
  if (!list.dataset.shown && found) {
    const tab = byId(list.getAttribute('aria-labelledby'));
    tab.querySelector('.ta-tab-count').textContent = ` (${found.dataset.count})`;
  }
  if (!key) return;
  const again = list.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`)
    || list.querySelector('.ta-sorts [aria-pressed=true], .ta-chip button, .ta-entries button');
  if (again) again.focus({preventScroll: true});
  if (found) say(found.dataset.heard);
};

on('narrow', (button) => {
  const list = button.closest('.ta-every');
  const changes = JSON.parse(button.dataset.set);
  show(list, changes, button.dataset.key).then(() => {
    if ('page' in changes) list.scrollIntoView({block: 'start', behavior: calm() ? 'auto' : 'smooth'});
  });
});

// What is folded stays folded; on a narrow screen the choices are, so that the list is in sight.
const foldedIn = (list) => new Map(
  [...list.querySelectorAll('details')].map((each) => [each.dataset.key, each.open]));
const fold = (list, folded) => {
  const narrow = matchMedia('(max-width: 900px)').matches;
  for (const each of list.querySelectorAll('details')) {
    if (folded.has(each.dataset.key)) each.open = folded.get(each.dataset.key);
    else if (narrow) each.open = false;
  }
};

// How many there are is asked for when an answer is complete; of turns before, when one is in sight.
const watched = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) {
    if (!isIntersecting) continue;
    watched.unobserve(target);
    const list = listOf(target);
    if (list && !list.dataset.shown) show(list, {});
  }
});
const watchAll = () => {
  for (const turn of byId('ta-turns').children) if (listOf(turn)) watched.observe(turn);
};
document.addEventListener('ta:answer', watchAll);
document.addEventListener('ta:opened', watchAll);

// The chart ---------------------------------------------------------------------------------------

const barsOf = (chart) => [...chart.querySelectorAll('.ta-bar')];

/** Mark the bars between two of them, and say which period they are. */
const mark = (chart, one, other) => {
  const bars = barsOf(chart);
  const [from, to] = [bars.indexOf(one), bars.indexOf(other)].sort((a, b) => a - b);
  bars.forEach((bar, at) => bar.classList.toggle('brushed', at >= from && at <= to));
  chart.classList.add('brushing');
  const names = new Set([bars[from].dataset.name, bars[to].dataset.name]);
  chart.querySelector('.ta-brushed').textContent = [...names].join(' – ');
  return [bars[from], bars[to]];
};

const unmark = (chart) => {
  chart.classList.remove('brushing');
  delete chart.dataset.anchor;
  chart.querySelector('.ta-brushed').textContent = '';
  for (const bar of barsOf(chart)) bar.classList.remove('brushed');
};

const brush = (chart, one, other) => {
  const [first, last] = mark(chart, one, other);
  const changes = {since: first.dataset.first, until: last.dataset.last, undated: ''};
  show(chart.closest('.ta-every'), changes, other.dataset.key);
};

let dragged = null;

document.addEventListener('pointerdown', (event) => {
  const bar = event.target.closest?.('.ta-bar');
  if (!bar || event.button) return;
  dragged = {chart: bar.closest('.ta-chart'), from: bar, to: bar};
  mark(dragged.chart, bar, bar);
});

// By its place across, not by what is under the pointer: a finger slips off low bars.
const nearest = (chart, x) => barsOf(chart).reduce((best, bar) => {
  const {left, right} = bar.getBoundingClientRect();
  const far = Math.max(left - x, x - right, 0);
  return far < best.far ? {bar, far} : best;
}, {bar: null, far: Infinity}).bar;

document.addEventListener('pointermove', (event) => {
  if (!dragged) return;
  dragged.to = nearest(dragged.chart, event.clientX);
  mark(dragged.chart, dragged.from, dragged.to);
});

document.addEventListener('pointerup', () => {
  if (!dragged) return;
  const {chart, from, to} = dragged;
  dragged = null;
  brush(chart, from, to);
});

document.addEventListener('pointercancel', () => {
  if (dragged) unmark(dragged.chart);
  dragged = null;
});

document.addEventListener('keydown', (event) => {
  const bar = event.target.closest?.('.ta-bar');
  if (!bar) return;
  const chart = bar.closest('.ta-chart');
  const bars = barsOf(chart);
  const at = bars.indexOf(bar);
  const anchor = bars.find((each) => each.dataset.key === chart.dataset.anchor) || bar;
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    brush(chart, anchor, bar);
    return;
  }
  if (event.key === 'Escape') {
    unmark(chart);
    return;
  }
  const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1}[event.key];
  if (to === undefined || !bars[to]) return;
  event.preventDefault();
  bar.tabIndex = -1;
  bars[to].tabIndex = 0;
  bars[to].focus();
  if (!event.shiftKey) return unmark(chart);
  chart.dataset.anchor = anchor.dataset.key;
  mark(chart, anchor, bars[to]);
});
