// Gradio's gr.HTML makes its functions out of text, which the policy of this page lets nobody do. Here
// are those that it makes for this page; any other text goes on to the browser, which refuses it.
{
  // What it runs for the component of the turn that is being written, which chat.js takes up.
  const live = (element, trigger, props, server, upload, watch) => {
    window.tanyaLive = {element, trigger, watch};
    document.dispatchEvent(new Event('ta:live'));
  };

  const known = (names, body) => {
    if (body === 'tanyaLive') return live;
    // Its templates: what they hold, and no style.
    if (body === 'return `${value}`;') return (...values) => String(values[names.indexOf('value')]);
    if (body === 'return ``;') return () => '';
    // Handlebars, of a template that has nothing for it to do.
    const text = /^return ("(?:[^"\\]|\\.)*");$/.exec(body);
    return text && (() => JSON.parse(text[1]));
  };

  const make = (real, given) => {
    const names = given.slice(0, -1).map(String);
    return known(names, String(given.at(-1) ?? '').trim()) || Reflect.construct(real, given);
  };
  window.Function = new Proxy(Function, {
    apply: (real, self, given) => make(real, given),
    construct: (real, given) => make(real, given),
  });
}
