// The thread as a person reads it: what was said, and answers that grow.

import {isOver, textOf} from '../answer.js';
import {fill, h} from '../dom.js';
import {MarkdownView} from '../render.js';
import {count, made} from '../words.js';
import {problemView} from './problem.js';
import {sourceList} from './sources.js';

export class TurnsView {
  #element;
  #actions;
  #shown = new Map();
  #frame = 0;
  #due = new Set();

  /** actions: {open, openThread, askAgain(answer), rate(answer, rating)} */
  constructor(element, actions) {
    this.#element = element;
    this.#actions = actions;
  }

  /** Bring what is shown in line with the turns there are. */
  show(turns, empty) {
    const follow = this.#atEnd();
    const wanted = turns.map((turn) => this.#viewOf(turn));
    for (const [key, view] of this.#shown) if (!wanted.includes(view)) this.#shown.delete(key);
    fill(this.#element, turns.length ? wanted.map((view) => view.element) : empty);
    if (follow) this.toEnd();
  }

  /** One answer has more; many changes become one drawing. */
  update(answer) {
    this.#due.add(answer);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  refresh(turn) {
    const view = this.#shown.get(turn);
    if (view) view.show();
  }

  toEnd() {
    this.#element.scrollTop = this.#element.scrollHeight;
  }

  /** Show or hide why: the sources of an answer. */
  toggleSources(answer) {
    this.#answerView(answer)?.toggleSources();
  }

  #draw() {
    this.#frame = 0;
    const follow = this.#atEnd();
    for (const answer of this.#due) this.#answerView(answer)?.show();
    this.#due.clear();
    if (follow) this.toEnd();
  }

  #answerView(answer) {
    return [...this.#shown.values()].find((view) => view.answer === answer);
  }

  #viewOf(turn) {
    if (!this.#shown.has(turn)) this.#shown.set(turn, turn.answer ? new AnswerView(turn.answer, this.#actions) : new SaidView(turn));
    const view = this.#shown.get(turn);
    view.show();
    return view;
  }

  /** Whoever has scrolled up is reading: only at the end does the view follow the text. */
  #atEnd() {
    const {scrollTop, scrollHeight, clientHeight} = this.#element;
    return scrollHeight - scrollTop - clientHeight < 48;
  }
}

class SaidView {
  #turn;

  constructor(turn) {
    this.#turn = turn;
    this.element = h('div.said');
  }

  show() {
    fill(this.element, this.#turn.about ? h('span.about', {}, this.#turn.about) : null, this.#turn.text);
  }
}

class AnswerView {
  #actions;
  #text = h('div.text');
  #doing = h('p.doing', {role: 'status'});
  #below = h('div.stack');
  #foot = h('footer.foot');
  #sources = h('div', {hidden: true});
  #markdown;

  constructor(answer, actions) {
    this.answer = answer;
    this.#actions = actions;
    this.#markdown = new MarkdownView(this.#text, (number) => this.#cite(number));
    this.element = h('article.answer', {}, this.#text, this.#doing, this.#below, this.#foot, this.#sources);
  }

  show() {
    const {answer} = this;
    this.#markdown.show(textOf(answer));
    this.element.setAttribute('aria-busy', String(!isOver(answer)));
    this.#doing.hidden = isOver(answer);
    this.#doing.textContent = answer.begunAgain ? 'Beginning again…' : answer.doing;
    fill(this.#below, this.#remarks());
    fill(this.#foot, isOver(answer) ? this.#footer() : null);
    if (!this.#sources.hidden) this.#showSources();
  }

  toggleSources() {
    this.#sources.hidden = !this.#sources.hidden;
    this.show();
    this.#showSources();
    if (!this.#sources.hidden) this.#sources.scrollIntoView({block: 'nearest'});
  }

  #remarks() {
    const {answer} = this;
    const again = () => this.#actions.askAgain(answer);
    return [
      answer.status === 'failed' ? problemView(answer.failure ?? {detail: 'No answer came.'}, [['Ask again', again]]) : null,
      answer.status === 'cancelled' ? h('p.broken', {}, 'You stopped it here.') : null,
      answer.status === 'finished' && !answer.complete ? h('p.broken', {}, 'The answer broke off here.') : null,
      ...answer.notes.map((note) => h('p.note', {}, note)),
    ];
  }

  #footer() {
    const {answer} = this;
    const where = made(answer.madeBy, answer.tokens);
    const rated = (rating, label) => h('button.quiet', {
      type: 'button', 'aria-pressed': String(answer.feedback === rating), onclick: () => this.#actions.rate(answer, rating),
    }, label);
    const copy = h('button.quiet', {type: 'button', title: 'Ctrl+Shift+C', onclick: () => navigator.clipboard.writeText(textOf(answer))}, 'Copy');
    const why = h('button.quiet', {
      type: 'button', title: 'Ctrl+.', 'aria-expanded': String(!this.#sources.hidden), onclick: () => this.toggleSources(),
    }, count(answer.sources.length, 'source'));
    return [
      where ? h('span.made', {}, answer.madeBy.where === 'no model' ? capital(where) : `Made on ${where}`.replace('on cloud', 'in the cloud')) : null,
      answer.sources.length ? why : null,
      textOf(answer) ? copy : null,
      ...(answer.status === 'finished' ? [rated('good', 'Good'), rated('bad', 'Bad')] : []),
    ];
  }

  #showSources() {
    fill(this.#sources, sourceList(this.answer.sources, this.#actions));
  }

  #cite(number) {
    const source = this.answer.sources.find((one) => one.n === number);
    const show = () => {
      if (this.#sources.hidden) this.toggleSources();
      for (const item of this.#sources.querySelectorAll('li')) item.classList.toggle('named', item.dataset.n === String(number));
      this.#sources.querySelector('.named')?.scrollIntoView({block: 'nearest'});
    };
    return h('button.cite', {type: 'button', title: source ? source.title : `Source ${number}`, onclick: show}, String(number));
  }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
