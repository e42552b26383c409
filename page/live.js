// Runs once for the component of the turn being written; `element`, `trigger` and `watch` are
// Gradio's. It hands them to chat.js.
window.tanyaLive = {element, trigger, watch};
document.dispatchEvent(new Event('ta:live'));
