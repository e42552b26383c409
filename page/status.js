// What the index holds, asked for every few seconds while the page is looked at.

import {announce, byId, ready, value} from './shell.js';

const SECONDS = 4;
let version;

const refresh = async () => {
  if (document.hidden) return;
  let status;
  try {
    status = await value('/page/status', {known: version});
  } catch (error) {
    document.body.classList.add('ta-offline');
    return;
  }
  document.body.classList.remove('ta-offline');
  const line = byId('ta-freshness');
  if (line.innerHTML !== status.line) line.innerHTML = status.line;
  if (status.version === null || status.version === version) return;
  version = status.version;
  announce('ta:version', status);
};

ready.then(() => {
  refresh();
  setInterval(refresh, 1000 * SECONDS);
  document.addEventListener('visibilitychange', refresh);
});
