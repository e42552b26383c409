// An article opened beside the conversation, under an address of its own.

import {addressOf, byId, copyText, done, go, here, on, panel, part, ready} from './shell.js';

let requests = 0;

/** Do something that moves the conversation, and keep an element where it is in the window. */
const keeping = (element, act) => {
  const before = element?.getBoundingClientRect().top;
  act();
  if (element?.isConnected) scrollBy({top: element.getBoundingClientRect().top - before, behavior: 'instant'});
};

// Shows what an address names: {article, content, spans}.
const show = async ({article, content, spans}, opener = null) => {
  const request = ++requests;
  keeping(byId('ta-panel').contains(opener) ? null : opener, () => panel.show(byId('ta-article-opening').innerHTML));
  let html;
  try {
    html = await part('/page/article', {id: article, content, spans});
  } catch (error) {
    html = byId('ta-article-failed').innerHTML;
  }
  if (request === requests && panel.isOpen) panel.show(html);
};

const hide = () => {
  requests += 1;
  keeping(panel.opener, () => panel.close());
};

// The browser goes back in its own time; what is opened meanwhile waits.
let left = null;
const leave = (steps) => {
  left = new Promise((resolve) => addEventListener('popstate', resolve, {once: true}));
  history.go(-steps);
};

/** Open what a link's data-article names: {id, content, spans: [[start, end]]}. */
export const read = async (link) => {
  await left;
  const {id, content = '', spans = []} = JSON.parse(link.dataset.article);
  const wanted = {article: id, content, spans: spans.map((span) => span.join('-')).join(',')};
  if (addressOf(wanted) !== location.pathname + location.search) {
    // An article that the page was opened with has no conversation alone behind it to go back to.
    const before = opened();
    const replace = Boolean(here().article) && !before;
    go(wanted, {replace});
    if (!replace) history.replaceState({...history.state, articles: before + 1}, '');
  }
  show(wanted, link.isConnected ? link : document.activeElement);
};

// How many articles Back would go through before the conversation is alone again.
const opened = () => (here().article && history.state?.articles) || 0;

const close = () => {
  const articles = opened();
  hide();
  if (articles) leave(articles);
  else go({article: ''}, {replace: true});
};

on('read', read);
on('close', close);
on('changes', () => panel.reveal(byId('ta-changes')));
on('copy-reference', async (button) => {
  const {id, content} = button.dataset;
  await copyText(await part('/page/reference', {id, content}));
  done(button);
});

// Before the page's other listeners: what Escape closes first is still open then.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !panel.isOpen || byId('ta-cited')) return;
  if (!event.target.closest?.('.ta-menu[open], form')) close();
}, true);
document.addEventListener('ta:address', ({detail}) => (detail.article ? show(detail) : hide()));
document.addEventListener('ta:asking', () => {
  hide();
  go({article: ''}, {replace: true});
});
document.addEventListener('ta:opened', () => { if (!here().article) hide(); });

ready.then(() => { if (here().article) show(here()); });
