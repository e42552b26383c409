// Runs before anything is shown: the language of the page, and the look that the visitor chose.
document.documentElement.lang = 'id';
{
  const chosen = () => localStorage.getItem('ta-theme');
  const wear = () => {
    const dark = chosen() === 'dark';
    if (document.body.classList.contains('dark') !== dark) document.body.classList.toggle('dark', dark);
  };
  // Gradio puts on the look of the system when it starts.
  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver(() => chosen() && wear())
      .observe(document.body, {attributes: true, attributeFilter: ['class']});
    if (chosen()) wear();
  });
}
