// Below the thread: the page in front and what may be done with it, the question, and the button that sends or stops.

import {fill, h} from '../dom.js';
import {count, shortAddress} from '../words.js';

const LEVELS = [['off', 'This site: off'], ['ask', 'This site: ask'], ['remember', 'This site: remember']];

export class ComposerView {
  #actions;
  #page = h('div.page');
  #chip = h('div.chip', {hidden: true});
  #question = h('textarea', {id: 'question', rows: '2', placeholder: 'Ask Hearth', 'aria-label': 'Your question', maxlength: '100000'});
  #hint = h('span.hint', {}, 'Ctrl+Enter sends');
  #local = h('button.quiet', {type: 'button', 'aria-pressed': 'false', title: 'This question must never leave this machine'}, 'Local only');
  #send = h('button.main', {type: 'submit', id: 'send'}, 'Ask');
  #stop = h('button', {type: 'button', id: 'stop', hidden: true}, 'Stop');
  #open = false;
  #shown = null;

  /** actions: {send(text), stop(), about(on), summarise(), remember(), consent(level), allow(), dropSelection()} */
  constructor(form, actions) {
    this.#actions = actions;
    fill(form, this.#page, this.#chip, this.#question, h('div.send', {}, this.#hint, this.#local, this.#stop, this.#send));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.#question.addEventListener('input', () => this.#enable());
    this.#stop.addEventListener('click', () => actions.stop());
    this.#local.addEventListener('click', () => this.#local.setAttribute('aria-pressed', String(!this.localOnly)));
    this.#enable();
  }

  get localOnly() {
    return this.#local.getAttribute('aria-pressed') === 'true';
  }

  get text() {
    return this.#question.value;
  }

  set text(value) {
    this.#question.value = value;
    this.#enable();
  }

  focus() {
    this.#question.focus();
  }

  send() {
    const text = this.#question.value.trim();
    if (text && this.#open && !this.#send.disabled) this.#actions.send(text);
  }

  /** Whether Hearth is there to be asked, and whether it is answering now. */
  state(open, busy) {
    this.#open = open;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    this.#enable();
  }

  say(hint) {
    this.#hint.textContent = hint || 'Ctrl+Enter sends';
  }

  /**
   * view: {site, title, url, about, level, busy} or null when no page is in front. A browser tells of a page again and
   * again while it loads: the buttons stay the same ones as long as they look the same, or a click is lost between them.
   */
  page(view) {
    const shown = this.#shown;
    this.#shown = view && {...view, open: this.#open};
    if (shown && view && sameButtons(shown, this.#shown)) return this.#name(view);
    this.#page.hidden = !view;
    fill(this.#page, view && [
      h('div.name', {}, h('span.title', {title: view.url || null}, nameOf(view)), view.site ? this.#levels(view) : null),
      view.level === 'off' ? h('p.small.muted', {}, 'Pages of this site are neither read nor kept.') : this.#buttons(view),
    ]);
  }

  /** The same page by another title. */
  #name(view) {
    const title = this.#page.querySelector('.title');
    title.title = view.url;
    title.textContent = nameOf(view);
    const level = this.#page.querySelector('select');
    if (level) level.value = view.level;
  }

  selection(text) {
    this.#chip.hidden = !text;
    const drop = h('button.quiet', {type: 'button', 'aria-label': 'Leave the selection out', onclick: () => this.#actions.dropSelection()}, 'Remove');
    fill(this.#chip, h('span', {title: text.slice(0, 300)}, `Selection, ${count(text.length, 'character')}: ${text.slice(0, 80)}`), drop);
  }

  #levels(view) {
    const choose = (event) => this.#actions.consent(event.target.value);
    const options = LEVELS.map(([value, label]) => h('option', {value, selected: value === view.level}, label));
    const means = 'off: never read or kept · ask: kept when you press Remember · remember: kept when you ask about it';
    return h('select', {'aria-label': `What Hearth may do with pages of ${view.site}`, title: means, onchange: choose, disabled: !this.#open}, options);
  }

  #buttons(view) {
    const about = h('button', {type: 'button', id: 'about', 'aria-pressed': String(view.about), onclick: () => this.#actions.about(!view.about)}, 'About this page');
    const summarise = h('button', {type: 'button', id: 'summarise', onclick: () => this.#actions.summarise()}, 'Summarise');
    const remember = h('button', {type: 'button', id: 'remember', onclick: () => this.#actions.remember()}, 'Remember');
    for (const button of [summarise, remember]) button.disabled = view.busy || !this.#open;
    return h('div.row', {}, about, summarise, remember);
  }

  #enable() {
    this.#send.disabled = !this.#open || !this.#question.value.trim();
  }
}

function sameButtons(one, other) {
  return ['site', 'about', 'level', 'busy', 'open'].every((name) => one[name] === other[name]);
}

function nameOf(view) {
  if (view.title || view.url) return [view.title, view.site || (view.url && shortAddress(view.url))].filter(Boolean).join(' · ');
  return 'The page in front';
}
