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

  #show() {
    if (!this.#threads.length) return fill(this.#element, h('p.muted', {}, 'No threads yet. Whatever you ask, in any door, begins one.'));
    const more = this.#next && h('button', {type: 'button', onclick: () => this.#page(`?after=${encodeURIComponent(this.#next)}`, this.#threads)}, 'Show older');
    return fill(this.#element, h('ul.list', {}, this.#threads.map((thread) => h('li', {}, this.#item(thread)))), more);
  }

  #item(thread) {
    return h('button.item', {type: 'button', 'data-id': thread.id, 'aria-current': String(thread.id === this.#current), onclick: () => this.#open(thread.id)},
      h('span.title', {}, thread.title || 'Untitled'),
      h('span.when', {title: exactly(thread.updated_at)}, `${ago(thread.updated_at)} · begun ${DOORS[thread.door] ?? 'elsewhere'}`,
        thread.local_only ? ' · local only' : ''));
  }
}
