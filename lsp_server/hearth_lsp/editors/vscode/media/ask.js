// The Ask view: what the person asks goes to the extension, what comes back is shown as text and nothing else.
(() => {
  const host = acquireVsCodeApi();
  const form = document.getElementById('ask');
  const words = document.getElementById('words');
  const about = document.getElementById('about');
  const turns = document.getElementById('turns');
  const stop = document.getElementById('stop');
  const open = new Map();

  const element = (name, className, text = '') => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };

  function begin({ token, question }) {
    const turn = element('div', 'turn');
    const answer = element('div', 'answer', '…');
    turn.append(element('div', 'question', question), answer);
    turns.prepend(turn);
    open.set(token, { turn, answer });
    stop.hidden = false;
  }

  function finish({ token, answer, problem }) {
    const shown = open.get(token);
    open.delete(token);
    stop.hidden = open.size === 0;
    if (!shown) return;
    if (problem) {
      shown.answer.textContent = problem;
      shown.answer.classList.add('muted');
      return;
    }
    shown.answer.textContent = answer.text;
    const list = element('ol', 'sources');
    for (const source of answer.sources) {
      const item = element('li', '');
      const name = `[${source.n}] ${source.url || source.title}`;
      if (source.url || source.uri) {
        const link = element('button', 'plain', name);
        link.title = source.quote;
        link.addEventListener('click', () => host.postMessage({ open: { url: source.url, uri: source.uri, line: source.line } }));
        item.append(link);
      } else {
        item.append(element('span', '', name), element('div', 'muted', source.quote));
      }
      list.append(item);
    }
    if (answer.sources.length) shown.turn.append(list);
    const notes = [...answer.notes, answer.complete ? '' : 'The answer broke off here.', answer.made_by].filter(Boolean);
    for (const note of notes) shown.turn.append(element('div', 'muted', note));
  }

  window.addEventListener('message', ({ data }) => {
    if (data.begin) begin(data.begin);
    if (data.piece && open.has(data.piece.token)) open.get(data.piece.token).answer.textContent = data.piece.text;
    if (data.finish) finish(data.finish);
    if ('about' in data) about.textContent = data.about;
    if (data.focus) words.focus();
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (text) host.postMessage({ ask: text, again: document.getElementById('again').checked });
    words.value = '';
  });
  words.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === 'Escape') host.postMessage({ stop: true });
  });
  stop.addEventListener('click', () => host.postMessage({ stop: true }));
  host.postMessage({ ready: true });
})();
