// Threads of all doors, last used first.

import {fill, h} from '../dom.js';
import {asProblem} from '../problem.js';
import {ago, exactly} from '../words.js';
import {problemView} from './problem.js';

const DOORS = {tray: 'in the tray', cli: 'in the terminal', editor: 'in an editor', browser: 'in a browser', http: 'by a program'};

export class ThreadsView {
  #element;
  #link;
  #open;
  #next = null;
  #threads = [];
  #current = null;
  #list = h('ul.list');
  #more = h('button', {type: 'button', onclick: () => this.#page(`?after=${encodeURIComponent(this.#next)}`, this.#threads)}, 'Show older');
  #rows = new Map();

  constructor(element, link, open) {
    this.#element = element;
    this.#link = link;
    this.#open = open;
  }

  get threads() {
    return this.#threads;
  }

  async load(current) {
    this.#current = current;
    if (!this.#threads.length) fill(this.#element, h('p.muted', {role: 'status'}, 'Looking for your threads…'));
    await this.#page('', []);
  }

  async #page(query, before) {
    try {
      const found = await this.#link.call('GET', `/v1/threads${query}`);
      this.#threads = [...before, ...found.threads];
      this.#next = found.next;
      this.#show();
    } catch (error) {
      fill(this.#element, problemView(asProblem(error), [['Try again', () => this.load(this.#current)]]));
    }
  }

  /** A thread keeps its row while the list is read again: what is pressed just then is not taken from under the finger. */
  #show() {
    if (!this.#threads.length) return fill(this.#element, h('p.muted', {}, 'No threads yet. Whatever you ask, in any door, begins one.'));
    if (this.#list.parentElement !== this.#element) fill(this.#element, this.#list, this.#more);
    this.#more.hidden = !this.#next;
    const rows = new Map(this.#threads.map((thread) => [thread.id, this.#rows.get(thread.id) ?? h('li', {}, this.#button(thread.id))]));
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.remove();
    this.#rows = rows;
    this.#threads.forEach((thread, at) => {
      const row = rows.get(thread.id);
      this.#tell(row.firstChild, thread);
      if (this.#list.children[at] !== row) this.#list.insertBefore(row, this.#list.children[at] ?? null);
    });
    return undefined;
  }

  #button(id) {
    return h('button.item', {type: 'button', 'data-id': id, onclick: () => this.#open(id)});
  }

  #tell(button, thread) {
    button.setAttribute('aria-current', String(thread.id === this.#current));
    const words = [
      h('span.title', {}, thread.title || 'Untitled'),
      h('span.when', {title: exactly(thread.updated_at)}, `${ago(thread.updated_at)} · begun ${DOORS[thread.door] ?? 'elsewhere'}`,
        thread.local_only ? ' · local only' : ''),
    ];
    if (shown(words) !== shown([...button.children])) fill(button, words);
  }
}

function shown(elements) {
  return elements.map((one) => `${one.textContent} (${one.title})`).join();
}
