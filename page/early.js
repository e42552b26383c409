// Runs before anything is shown: the language of the page, and the look that the visitor chose, else
// the system's.
document.documentElement.lang = 'id';
{
  const chosen = () => {
    try { return localStorage.getItem('ta-theme'); } catch (error) { return null; }
  };
  const wear = () => {
    const system = matchMedia('(prefers-color-scheme: dark)').matches;
    const dark = chosen() ? chosen() === 'dark' : system;
    if (document.body.classList.contains('dark') !== dark) document.body.classList.toggle('dark', dark);
  };
  const begin = () => {
    wear();
    // Gradio puts on the look of the system when it starts.
    new MutationObserver(wear).observe(document.body, {attributes: true, attributeFilter: ['class']});
  };
  document.body ? begin() : document.addEventListener('DOMContentLoaded', begin);
}
