// Search in what is remembered: found, opened where it came from, and forgotten.

import {fill, h} from '../dom.js';
import {quotedAddress, siteOf} from '../page.js';
import {asProblem} from '../problem.js';
import {ago, exactly, shortAddress} from '../words.js';
import {problemView} from './problem.js';

export class MemoryView {
  #link;
  #actions;
  #query = h('input', {type: 'search', placeholder: 'What do you look for?', 'aria-label': 'Search memory', maxlength: '4000'});
  #found = h('div.stack', {'aria-live': 'polite'});
  #asked = 0;
  #own = new Map();

  /** actions: {open(address), openThread(id)} */
  constructor(element, link, actions) {
    this.#link = link;
    this.#actions = actions;
    const form = h('form.row', {role: 'search'}, h('div', {}, this.#query), h('button.main', {type: 'submit'}, 'Search'));
    form.classList.add('search');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.search();
    });
    fill(element, form, this.#found);
    this.#say('Everything that you told Hearth, in any door, and every page that you let it keep.');
  }

  focus() {
    this.#query.focus();
  }

  /** What was forgotten elsewhere goes from the list, and nothing else in it moves. What was forgotten here says so
   * itself; its event comes once, and may come after it was taken back. */
  forgotten(ids) {
    const gone = new Set(ids.filter((id) => !this.#isOwn(id)));
    for (const card of this.#found.querySelectorAll('.hit')) if (gone.has(card.dataset.id)) card.remove();
    if (gone.size && this.#asked && !this.#found.childElementCount) this.#say('Nothing is remembered about this.');
  }

  #isOwn(id) {
    const left = this.#own.get(id) ?? 0;
    if (left > 1) this.#own.set(id, left - 1);
    else this.#own.delete(id);
    return left > 0;
  }

  async search() {
    const query = this.#query.value.trim();
    if (!query) return;
    const mine = ++this.#asked;
    this.#say('Searching…');
    try {
      const said = await this.#link.call('POST', '/v1/memory/search', {query, k: 12});
      if (mine === this.#asked) this.#show(said);
    } catch (error) {
      fill(this.#found, problemView(asProblem(error), [['Try again', () => this.search()]]));
    }
  }

  #show({results, degraded}) {
    const notes = degraded.map((note) => h('p.small.muted', {}, note));
    if (!results.length) return fill(this.#found, h('p.muted', {}, 'Nothing is remembered about this.'), notes);
    return fill(this.#found, results.map((hit) => this.#hit(hit)), notes);
  }

  #hit(hit) {
    const seconds = Date.parse(hit.occurred_at) / 1000;
    const forget = h('button.quiet', {type: 'button', onclick: () => this.#ask(forget, hit)}, 'Forget');
    return h('article.card.hit', {'data-id': hit.id},
      h('p.quote', {}, hit.text),
      h('div.foot', {}, h('span.from', {title: exactly(seconds)}, this.#from(hit), ` · ${ago(seconds)}`), forget));
  }

  #from(hit) {
    const go = siteOf(hit.source)
      ? () => this.#actions.open(quotedAddress(hit.source, hit.text.split('\n').at(-1)))
      : hit.session.startsWith('thread_') && (() => this.#actions.openThread(hit.session));
    const name = siteOf(hit.source) ? hit.title || shortAddress(hit.source) : hit.source === 'person' ? 'something you said' : hit.source;
    return go ? h('button.link', {type: 'button', onclick: go}, name) : name;
  }

  /** Forgetting reaches every door, so it takes a second click; for a while it can be undone. */
  #ask(button, hit) {
    const sure = h('button.danger', {type: 'button', onclick: () => this.#forget(sure, hit)}, 'Yes, forget');
    button.replaceWith(sure);
    sure.focus();
    sure.addEventListener('blur', () => sure.replaceWith(button), {once: true});
  }

  async #forget(button, hit) {
    const card = button.closest('.hit');
    this.#own.set(hit.id, (this.#own.get(hit.id) ?? 0) + 1);
    await this.#trying(card, async () => {
      const gone = await this.#link.call('POST', '/v1/memory/forget', {ids: [hit.id]});
      const undo = gone.undo_id && h('button.quiet', {type: 'button', onclick: () => this.#undo(card, hit, gone.undo_id)}, 'Undo');
      fill(card, h('p.muted', {}, 'Forgotten, in every door.'), undo ? h('div.foot', {}, undo) : []);
    });
  }

  async #undo(card, hit, id) {
    await this.#trying(card, async () => {
      await this.#link.call('POST', '/v1/memory/restore', {undo_id: id});
      card.replaceWith(this.#hit(hit));
    });
  }

  async #trying(card, act) {
    try {
      await act();
    } catch (error) {
      fill(card, problemView(asProblem(error)));
    }
  }

  #say(text) {
    fill(this.#found, h('p.muted', {role: 'status'}, text));
  }
}
