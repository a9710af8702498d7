// How this browser comes in: one click through the native host, or a code that the tray or the terminal shows.

import {fill, h} from '../dom.js';
import {asProblem} from '../problem.js';
import {BRIDGE_PORT} from '../protocol.js';
import {problemView} from './problem.js';

export class PairingView {
  #element;
  #link;
  #browser;
  #said = h('div', {'aria-live': 'polite'});
  #code = h('input.code-field', {id: 'code', inputmode: 'numeric', autocomplete: 'off', maxlength: '7', placeholder: '000000', 'aria-label': 'Code of six digits'});
  #port = h('input', {id: 'port', type: 'number', min: '1', max: '65535', value: String(BRIDGE_PORT), 'aria-label': 'Port'});

  /** browser: {origin(), name()} */
  constructor(element, link, browser) {
    this.#element = element;
    this.#link = link;
    this.#browser = browser;
  }

  show(note) {
    const click = h('button.main', {type: 'button', id: 'pair-native', onclick: () => this.#try(() => this.#native())}, 'Pair this browser');
    const form = h('form.stack', {id: 'pair-code'},
      h('h2', {}, 'With a code'),
      h('p.muted', {}, 'Choose “Pair a browser” in the tray, or run ', h('code', {}, 'hearth pair browser'), ', and type the code here.'),
      this.#code,
      h('label.port.small.muted', {}, 'Port, if another is shown', this.#port),
      h('button', {type: 'submit'}, 'Pair with this code'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#try(() => this.#byCode());
    });
    fill(this.#element,
      h('h1', {}, 'Pair this browser with Hearth'),
      note ? problemView({detail: note}, [], 'info') : h('p.muted', {}, 'Hearth runs on this machine and keeps everything there. A page is read only when you say so.'),
      this.#said, click, form);
  }

  async #native() {
    await this.#link.pairByNative(this.#browser.origin(), await this.#browser.name());
  }

  async #byCode() {
    await this.#link.pairByCode(this.#code.value.replace(/\D/g, ''), await this.#browser.name(), Number(this.#port.value) || BRIDGE_PORT);
  }

  async #try(act) {
    fill(this.#said, h('p.muted', {role: 'status'}, 'Pairing…'));
    try {
      await act();
      fill(this.#said);
    } catch (error) {
      fill(this.#said, problemView(asProblem(error)));
      if (error.code === 'no_native_host') this.#code.focus();
    }
  }
}
