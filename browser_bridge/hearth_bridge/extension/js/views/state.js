// How Hearth is, in a word at the top of the panel: where answers are made, or what is in the way.

import {State} from '../link.js';

const LINK_WORDS = {[State.CONNECTING]: 'connecting', [State.OFFLINE]: 'offline', [State.UNPAIRED]: 'not paired'};

export class StateView {
  #element;
  #link;
  #changed;
  #name = State.CONNECTING;
  #thinking = false;
  #waiting = 0;
  #loading = null;

  constructor(element, link, changed) {
    this.#element = element;
    this.#link = link;
    this.#changed = changed;
    this.status = null;
    this.#show();
  }

  link(name) {
    this.#name = name;
    this.#show();
  }

  thinking(on) {
    this.#thinking = on;
    this.#show();
  }

  waiting(number) {
    this.#waiting = number;
    this.#show();
  }

  /** Ask how Hearth is; several reasons to ask at once are one question. */
  async load() {
    this.#loading ??= this.#link.call('GET', '/v1/status').catch(() => this.status);
    this.status = await this.#loading;
    this.#loading = null;
    this.#show();
    this.#changed();
  }

  #show() {
    const [state, word] = this.#word();
    this.#element.dataset.state = state;
    this.#element.textContent = word;
    this.#element.title = this.status ? `Hearth ${this.status.version}: ${this.status.state}` : word;
  }

  #word() {
    if (this.#name !== State.OPEN) return [LINK_WORDS[this.#name], LINK_WORDS[this.#name]];
    if (this.#thinking) return ['thinking', 'thinking'];
    if (this.#waiting) return ['needs you', `needs you (${this.#waiting})`];
    const model = this.status?.models.find((one) => one.roles.includes('chat'));
    if (!this.status) return ['idle', 'connected'];
    if (!model) return ['no model', 'no model'];
    return this.status.state === 'fault' ? ['fault', 'fault'] : ['idle', model.where];
  }
}
