// The operator's page: files that are dropped on it, the work under way, changes of versions.

import {byId, calm, on, part, say, send} from './shell.js';

const SECONDS = 0.7;
// So many files are on their way at once: small ones wait for the network, not for each other.
const AT_ONCE = 3;
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const inWords = (template, ...values) => values.reduce((words, each) => words.replace('{}', each), template);
const number = (value) => value.toLocaleString('id');

const trouble = (words) => { byId('op-trouble').textContent = words; };

// What is shown -----------------------------------------------------------------------------------

let refreshes = 0;
/** Bring what the page tells up to date, but for what is being done on it. */
const refresh = async () => {
  const mine = ++refreshes;
  const fresh = new DOMParser().parseFromString(await part('/pengelola'), 'text/html');
  // A slow answer must not undo what a later one has shown.
  if (mine !== refreshes) return;
  // What was typed meanwhile stays.
  const [typed, empty] = [byId('op-prune'), fresh.getElementById('op-prune')];
  if (typed && empty) empty.elements.keep.value = typed.elements.keep.value;
  for (const id of ['op-state', 'op-facts']) {
    const [old, now] = [byId(id), fresh.getElementById(id)];
    if (old && now) old.replaceChildren(...now.childNodes);
  }
};

let following = false;
/** Show the work under way until it has ended. */
const follow = async () => {
  if (following) return;
  following = true;
  try {
    for (;;) {
      const html = await part('/page/operator/work');
      if (byId('op-work').innerHTML !== html) byId('op-work').innerHTML = html;
      const work = byId('op-work').querySelector('[data-running]');
      if (!work || work.dataset.running === 'no') break;
      await wait(SECONDS);
    }
    await refresh();
    const words = byId('op-work').querySelector('.op-work-words');
    if (words) say(words.textContent);
  } catch (error) {
    trouble(error.message);
  } finally {
    following = false;
  }
};

// Changes -----------------------------------------------------------------------------------------

/** Ask whether something is really meant; resolves to true or false. */
const surely = (words, button) => new Promise((resolve) => {
  const dialog = byId('op-surely');
  byId('op-surely-words').textContent = words;
  byId('op-surely-yes').textContent = button;
  dialog.returnValue = 'no';
  dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
  dialog.showModal();
});

/** Do what a button says; tell what is wrong. */
const tried = async (button, change) => {
  trouble('');
  if (button) button.disabled = true;
  try {
    return await change();
  } catch (error) {
    trouble(error.message);
    byId('op-trouble').scrollIntoView({block: 'center', behavior: calm() ? 'auto' : 'smooth'});
    return null;
  } finally {
    if (button) button.disabled = false;
  }
};

on('build', (button) => tried(button, async () => {
  await send('/page/operator/build', {});
  byId('op-work').scrollIntoView({block: 'nearest', behavior: calm() ? 'auto' : 'smooth'});
  await follow();
}));

on('live', async (button) => {
  if (!await surely(button.dataset.ask, button.textContent)) return;
  await tried(button, async () => {
    const {words} = await send('/page/operator/live', {version: button.dataset.version});
    await refresh();
    say(words);
  });
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.matches('.ta-account')) return;
  if (form.method !== 'dialog') event.preventDefault();
  if (form.id !== 'op-prune') return;
  const keep = form.elements.keep.valueAsNumber;
  const button = form.querySelector('button');
  if (!await surely(inWords(form.dataset.ask, number(keep)), button.textContent)) return;
  await tried(button, async () => {
    const {words} = await send('/page/operator/prune', {keep});
    await refresh();
    say(words);
  });
});

// Files -------------------------------------------------------------------------------------------

/** Yield the files of a dropped folder or file, with their paths in it. */
async function* walked(entry, path = '') {
  const name = path + entry.name;
  if (entry.isFile) {
    yield {path: name, file: await new Promise((resolve, reject) => entry.file(resolve, reject))};
    return;
  }
  const reader = entry.createReader();
  // A browser gives a hundred entries at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) yield* walked(each, `${name}/`);
  }
}

/** Return what was dropped; a file that stands in no folder, as of a mail, has no entry. */
const dropped = async (items) => {
  // They are there only while the event lasts.
  const given = [...items].filter((item) => item.kind === 'file')
    .map((item) => ({entry: item.webkitGetAsEntry && item.webkitGetAsEntry(), file: item.getAsFile()}));
  const found = [];
  for (const {entry, file} of given) {
    if (entry) for await (const each of walked(entry)) found.push(each);
    else if (file) found.push({path: file.name, file});
  }
  return found;
};

/** Send one file; `progress` gets the bytes that are through. */
const sendFile = (url, file, progress, stopped) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open('POST', url);
  request.setRequestHeader('content-type', 'application/octet-stream');
  request.upload.addEventListener('progress', (event) => progress(event.loaded));
  request.addEventListener('load', () => {
    if (request.status === 200) { resolve(); return; }
    let detail = '';
    try { detail = JSON.parse(request.responseText).detail; } catch (error) { /* no JSON: no detail */ }
    reject(new Error(detail || `status ${request.status}`));
  });
  request.addEventListener('error', () => reject(new Error('')));
  request.addEventListener('abort', () => reject(new Error('')));
  stopped.addEventListener('abort', () => request.abort());
  request.send(file);
});

let sending = null;

/** Send the wanted ones of the files, a few at a time; rejects where one fails or all is stopped. */
const sendAll = async (upload, wanted, files, stopped) => {
  const total = wanted.reduce((sum, each) => sum + files[each].file.size, 0);
  const through = new Map();
  let done = 0;
  const show = () => {
    const bytes = [...through.values()].reduce((sum, each) => sum + each, 0);
    const megabytes = (value) => number(Math.round(value / 1e5) / 10);
    byId('op-sending-words').textContent = inWords(byId('op-upload').dataset.sending,
      number(done), number(wanted.length), megabytes(Math.min(bytes, total)), megabytes(total));
    byId('op-sending-bar').max = total || 1;
    byId('op-sending-bar').value = bytes;
  };
  show();
  const rest = [...wanted];
  const next = async () => {
    for (let each = rest.shift(); each !== undefined; each = rest.shift()) {
      const progress = (bytes) => { through.set(each, bytes); show(); };
      await sendFile(`/page/upload/${upload}/${each}`, files[each].file, progress, stopped);
      done += 1;
      progress(files[each].file.size);
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, next));
};

/** Have an upload's files added, as soon as no other work is under way. */
const added = async (upload, stopped) => {
  const body = {publisher: byId('op-publisher').value, build: Boolean(byId('op-build-after')?.checked)};
  for (;;) {
    try {
      await send(`/page/upload/${upload}/add`, body);
      return;
    } catch (error) {
      if (error.status !== 409 || stopped.aborted) throw error;
      byId('op-sending-words').textContent = error.message;
      await wait(2);
    }
  }
};

const cancel = (upload) => fetch(`/page/upload/${upload}/cancel`, {
  method: 'POST', headers: {'content-type': 'application/json'}, body: '{}', keepalive: true,
}).catch(() => {});

/** Send files and have them added; what was sent of an upload that fails is deleted there. */
const take = async (files) => {
  if (sending || !files.length) return;
  trouble('');
  const words = byId('op-upload').dataset;
  files.sort((one, other) => one.path.localeCompare(other.path));
  sending = {stop: new AbortController(), upload: ''};
  byId('op-work').replaceChildren();
  try {
    const named = files.map(({path, file}) => ({path, size: file.size}));
    const {upload, wanted, passed} = await send('/page/upload/begin', {files: named});
    if (!wanted.length) {
      trouble(inWords(words.none, passed.map(([kind, count]) => `${number(count)} ${kind}`).join(', ') || '–'));
      return;
    }
    sending.upload = upload;
    byId('op-sending').hidden = false;
    await sendAll(upload, wanted, files, sending.stop.signal);
    await added(upload, sending.stop.signal);
    sending.upload = '';
  } catch (error) {
    const stopped = sending.stop.signal.aborted;
    sending.stop.abort();
    if (sending.upload) await cancel(sending.upload);
    trouble(stopped ? words.stopped : inWords(words.failed, error.message || '–'));
    return;
  } finally {
    byId('op-sending').hidden = true;
    sending = null;
  }
  await follow();
};

on('stop-sending', () => sending && sending.stop.abort());
on('choose', (button) => byId(button.dataset.input).click());
for (const id of ['op-files', 'op-folder']) {
  byId(id).addEventListener('change', async (event) => {
    const files = [...event.target.files].map((file) => ({path: file.webkitRelativePath || file.name, file}));
    event.target.value = '';
    await take(files);
  });
}
addEventListener('pagehide', () => { if (sending && sending.upload) cancel(sending.upload); });

const over = (shown) => byId('op-drop').classList.toggle('over', shown);
const brings = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
for (const name of ['dragenter', 'dragover']) {
  document.addEventListener(name, (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    over(true);
  });
}
document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) over(false); });
document.addEventListener('drop', async (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  over(false);
  try {
    await take(await dropped(event.dataTransfer.items));
  } catch (error) {
    trouble(inWords(byId('op-upload').dataset.failed, error.message));
  }
});

const work = byId('op-work').querySelector('[data-running=yes]');
if (work) follow();
