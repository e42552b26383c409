// The way to the operator's page, and how to begin, for those who may see it.

import {byId, part, ready} from './shell.js';

const look = async () => {
  let html = '';
  try {
    html = await part('/page/operator/door');
  } catch (error) {
    return;
  }
  const made = new DOMParser().parseFromString(html, 'text/html');
  document.querySelectorAll('.ta-sample, #ta-side-foot a[href="/pengelola"]').forEach((one) => one.remove());
  const link = made.querySelector('a');
  if (link) byId('ta-side-foot').append(link);
  const hint = made.querySelector('template');
  if (hint) byId('ta-welcome').after(hint.content);
};

ready.then(look);
// The sample may have gone out, or other articles come in.
document.addEventListener('ta:version', () => ready.then(look));
