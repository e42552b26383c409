// Runs before a page without Gradio is shown: the look that the visitor chose, else the system's.
{
  const chosen = localStorage.getItem('ta-theme');
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.body.classList.toggle('dark', dark);
}
