// Who is logged in, the way to the operator's page, and how to begin, for those who may see it.

import {byId, forgetAll, part, ready} from './shell.js';

const look = async () => {
  let html = '';
  try {
    html = await part('/page/operator/door');
  } catch (error) {
    return;
  }
  const made = new DOMParser().parseFromString(html, 'text/html');
  document.querySelectorAll('.ta-sample, #ta-side-foot > :is(a[href="/pengelola"], .ta-account)')
    .forEach((one) => one.remove());
  byId('ta-side-foot').append(...made.querySelectorAll('a[href="/pengelola"], .ta-account'));
  const hint = made.querySelector('template');
  if (hint) byId('ta-welcome').after(hint.content);
};

// What was typed and not sent is of whoever logs out.
document.addEventListener('submit', (event) => {
  if (event.target.matches('.ta-account')) forgetAll('ta-draft-');
});

ready.then(look);
// The sample may have gone out, or other articles come in.
document.addEventListener('ta:version', () => ready.then(look));
