// The page can be read without this. It adds the filter, which lives in the address
// (#?verdict=fail&text=etag), copying of links, the theme, and the folds of a print.
'use strict';
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = id => document.getElementById(id);
  const form = one('filter'), shown = one('shown'), unfold = one('unfold'), theme = one('theme');
  const results = all('details.result'), steps = all('details.step'), tasks = all('section.task');
  const openAtFirst = new Set(all('details[open]'));
  const texts = new Map(); // of each result, when it is first looked for

  const textOf = result => {
    if (!texts.has(result)) texts.set(result, result.textContent.toLowerCase());
    return texts.get(result);
  };

  // asked is the filter as the address has it.
  const asked = () => new URLSearchParams(location.hash.startsWith('#?') ? location.hash.slice(2) : '');

  const read = () => { // the form, from the address
    const wanted = asked();
    for (const input of form.elements) {
      if (input.type === 'checkbox') input.checked = wanted.getAll(input.name).includes(input.value);
      if (input.type === 'search' && input.value.trim() !== (wanted.get('text') || '')) input.value = wanted.get('text') || '';
    }
  };

  const write = () => { // the address, from the form
    const wanted = new URLSearchParams();
    for (const input of form.elements) {
      if (input.type === 'checkbox' && input.checked) wanted.append(input.name, input.value);
    }
    const text = one('text').value.trim();
    if (text) wanted.set('text', text);
    const hash = wanted.size ? '#?' + wanted : '';
    history.replaceState(null, '', hash || location.pathname + location.search);
    apply();
  };

  const apply = () => {
    const wanted = asked();
    const by = ['verdict', 'level', 'subject', 'task'].filter(name => wanted.has(name)).map(name => [name, new Set(wanted.getAll(name))]);
    const words = (wanted.get('text') || '').toLowerCase().split(/\s+/).filter(Boolean);
    const filtered = by.length + words.length > 0;
    let n = 0;
    for (const result of results) {
      const fits = by.every(([name, values]) => values.has(result.dataset[name])) && words.every(word => textOf(result).includes(word));
      result.hidden = !fits;
      if (fits) n++;
    }
    for (const step of steps) {
      const own = step.querySelector('details.result'); // none where all is judged under another task
      step.hidden = own ? !step.querySelector('details.result:not([hidden])') : filtered;
      step.open = filtered || openAtFirst.has(step) || unfold.getAttribute('aria-pressed') === 'true';
    }
    for (const task of tasks) task.hidden = !task.querySelector('details.step:not([hidden])');
    shown.textContent = filtered ? `${n} of ${results.length} requirements` : `all ${results.length} requirements`;
  };

  const named = () => { // an address can be mistyped
    try { return one(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
  };

  // go unfolds what the address names, and takes the filter away where it hides it.
  const go = () => {
    if (location.hash.startsWith('#?') || location.hash === '') {
      if (!form) return;
      read();
      apply();
      if (location.hash !== '') one('requirements').scrollIntoView();
      return;
    }
    const target = named();
    if (!target) return;
    if (form && target.closest('[hidden]')) {
      form.reset();
      for (const hidden of all('.task, .step, .result')) hidden.hidden = false;
      shown.textContent = `all ${results.length} requirements`;
    }
    for (let fold = target.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    target.scrollIntoView();
    const focus = target.matches('details') ? target.querySelector('summary') : null;
    if (focus) focus.focus({preventScroll: true});
  };

  if (form) {
    form.hidden = false;
    form.addEventListener('input', write);
    form.addEventListener('submit', event => event.preventDefault());
    form.addEventListener('reset', event => {
      event.preventDefault();
      for (const input of form.elements) {
        if (input.type === 'checkbox') input.checked = false;
        if (input.type === 'search') input.value = '';
      }
      write();
    });
    unfold.addEventListener('click', () => {
      const open = unfold.getAttribute('aria-pressed') !== 'true';
      unfold.setAttribute('aria-pressed', open);
      unfold.textContent = open ? 'Fold all' : 'Unfold all';
      for (const fold of [...steps, ...results]) fold.open = open;
    });
    const names = all('table.counts thead th').map(th => th.dataset.verdict);
    for (const row of all('table.counts tr')) {
      const by = row.parentElement.dataset.by;
      all('td:not(.zero)', row).forEach(cell => {
        const verdict = names[cell.cellIndex - 1];
        if (!verdict || cell.closest('thead')) return;
        const link = document.createElement('a');
        link.href = '#?' + new URLSearchParams(by ? {verdict, [by]: row.dataset.value} : {verdict});
        link.textContent = cell.textContent;
        link.setAttribute('aria-label', `${cell.textContent} ${verdict}: show them`);
        cell.replaceChildren(link);
      });
    }
    document.addEventListener('keydown', event => {
      const writing = event.target.matches('input[type=search]');
      if (event.key === '/' && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        one('text').focus();
      }
      if (event.key === 'Escape' && writing) form.reset();
    });
  }

  // A link to a place copies itself; where that is not allowed, it is an ordinary link.
  document.addEventListener('click', async event => {
    const link = event.target.closest('a.self');
    if (!link) return;
    const before = link.textContent;
    try {
      await navigator.clipboard.writeText(link.href);
      link.textContent = 'link copied';
    } catch {
      link.textContent = 'the link is in the address bar';
    }
    setTimeout(() => { link.textContent = before; }, 2000);
  });

  for (const command of all('.repeat pre')) { // without a script it is selected by hand
    const copy = document.createElement('button');
    copy.type = 'button';
    copy.textContent = 'Copy';
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        copy.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(command);
        copy.textContent = 'Selected';
      }
      setTimeout(() => { copy.textContent = 'Copy'; }, 2000);
    });
    command.before(copy);
  }

  const themes = ['system', 'light', 'dark'];
  const setTheme = name => {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = 'Theme: ' + name;
  };
  theme.hidden = false;
  let kept = 'system';
  try { kept = localStorage.getItem('conform-theme') || kept; } catch { /* not allowed here */ }
  setTheme(themes.includes(kept) ? kept : 'system');
  theme.addEventListener('click', () => {
    const now = document.documentElement.dataset.theme || 'system';
    const then = themes[(themes.indexOf(now) + 1) % themes.length];
    setTheme(then);
    try { localStorage.setItem('conform-theme', then); } catch { /* not allowed here */ }
  });

  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all('details:not([open])');
    for (const fold of folded) fold.open = true;
  });
  addEventListener('afterprint', () => {
    for (const fold of folded) fold.open = false;
  });

  if (form) apply();
  addEventListener('hashchange', go);
  go();
})();
