// The filter that the visitor sets: days and publishers, and the chips of what is set.

import {byId, on, ready, state, value} from './shell.js';

const ENDS = ['after', 'before'];
let newest = '';
let latest = 0;
let hinted = false;

const chosenNow = () => ({
  after: byId('ta-after').value.trim(),
  before: byId('ta-before').value.trim(),
  publishers: [...document.querySelectorAll('#ta-publishers :checked')].map((box) => box.value),
  authors: [],
});

// The filter outlives a reload of its tab.
const KEY = 'ta-filter';
const keep = (filter) => {
  try { sessionStorage.setItem(KEY, JSON.stringify(filter)); } catch (error) { /* nowhere to keep it */ }
};
const keptFilter = () => {
  try { return {...state.filter, ...JSON.parse(sessionStorage.getItem(KEY))}; } catch (error) { return state.filter; }
};

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const changed = async () => {
  const request = ++latest;
  state.filter = chosenNow();
  keep(state.filter);
  const {after, before, publishers} = state.filter;
  const any = after || before || publishers.length;
  byId('ta-clear').hidden = !any;
  markPreset();
  let read = {hint: '', chips: []};
  if (any) {
    try {
      read = await value('/page/filter', {after, before, publisher: publishers});
    } catch (error) {
      return;
    }
  }
  if (request !== latest) return;
  // A hint of another kind stays.
  if (any || hinted) byId('ta-hint').textContent = read.hint;
  hinted = Boolean(any);
  show(read.chips);
};

const show = (chips) => {
  const applied = byId('ta-applied');
  const {none, without} = applied.dataset;
  applied.replaceChildren(...chips.map((chip) => {
    const button = element('button', {type: 'button', textContent: '×'});
    button.setAttribute('aria-label', without.replace('{}', chip.words));
    Object.assign(button.dataset, {do: 'without', kind: chip.kind, value: chip.value});
    return element('span', {className: 'ta-chip'}, element('span', {textContent: chip.words}), button);
  }));
  if (!chips.length) applied.textContent = none;
};

on('without', ({dataset}) => {
  if (dataset.kind === 'days') for (const end of ENDS) byId(`ta-${end}`).value = '';
  for (const box of document.querySelectorAll('#ta-publishers :checked'))
    if (dataset.kind === 'publisher' && box.value === dataset.value) box.checked = false;
  changed();
  byId('ta-question').focus({preventScroll: true});
});

const unfilter = () => {
  for (const end of ENDS) byId(`ta-${end}`).value = '';
  for (const box of document.querySelectorAll('#ta-publishers :checked')) box.checked = false;
  changed();
};

on('filters', (button) => {
  const row = byId('ta-filter-row');
  row.hidden = !row.hidden;
  button.setAttribute('aria-expanded', String(!row.hidden));
  if (!row.hidden) row.querySelector('button').focus({preventScroll: true});
});
on('unfilter', unfilter);
// The answer needs the room.
document.addEventListener('ta:asking', () => {
  byId('ta-filter-row').hidden = true;
  document.querySelector('[data-do=filters]').setAttribute('aria-expanded', 'false');
});
document.addEventListener('ta:unfilter', unfilter);

// Days --------------------------------------------------------------------------------------------

const written = (day) => day.toISOString().slice(0, 10).split('-').reverse().join('/');

const beginOf = (days) => {
  if (!days || !newest) return '';
  const day = new Date(`${newest}T00:00:00Z`);
  if (days === 'year') day.setUTCMonth(0, 1);
  else day.setUTCDate(day.getUTCDate() - Number(days) + 1);
  return written(day);
};

const markPreset = () => {
  const {after, before} = chosenNow();
  for (const button of document.querySelectorAll('[data-do=preset]'))
    button.setAttribute('aria-pressed', String(!before && after === beginOf(button.dataset.days)));
};

on('preset', ({dataset}) => {
  byId('ta-after').value = beginOf(dataset.days);
  byId('ta-before').value = '';
  changed();
});

on('pick', ({dataset}) => {
  const picker = byId(`ta-pick-${dataset.end}`);
  if (newest && !picker.value) picker.value = newest;
  picker.showPicker ? picker.showPicker() : picker.focus();
});

// Publishers --------------------------------------------------------------------------------------

const MANY = 12;
// What was set before a reload, until the publishers are known.
let before = keptFilter();

document.addEventListener('ta:version', ({detail}) => {
  newest = detail.newest || '';
  const from = byId('ta-counted-from');
  from.textContent = newest ? from.dataset.words.replace('{}', detail.newest_words) : '';
  const chosen = new Set(before ? before.publishers : state.filter.publishers);
  const publishers = detail.publishers || [];
  byId('ta-publishers').replaceChildren(...publishers.map(({name, count}) => {
    const box = element('input', {type: 'checkbox', value: name, checked: chosen.has(name)});
    return element('label', {}, box, element('span', {textContent: `${name} `},
      element('small', {textContent: count})));
  }));
  byId('ta-name-words').hidden = publishers.length <= MANY;
  if (before) for (const end of ENDS) byId(`ta-${end}`).value = before[end];
  before = null;
  changed();
});

ready.then(() => {
  byId('ta-filter-row').addEventListener('change', ({target}) => {
    if (target.type === 'date') {
      byId(target.id.replace('pick-', '')).value = target.value.split('-').reverse().join('/');
    }
    if (target.id !== 'ta-name-words') changed();
  });
  byId('ta-filter-row').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches('input[type=text]')) {
      event.preventDefault();
      changed();
    }
    if (event.key === 'Escape') {
      event.stopPropagation();
      document.querySelector('[data-do=filters]').click();
      document.querySelector('[data-do=filters]').focus();
    }
  });
  byId('ta-name-words').addEventListener('input', ({target}) => {
    const words = target.value.trim().toLowerCase();
    for (const label of byId('ta-publishers').children)
      label.hidden = !label.textContent.toLowerCase().includes(words);
  });
});
