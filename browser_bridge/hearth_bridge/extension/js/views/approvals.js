// The approval card, read-only: what waits for the person, complete, with what cannot be seen made visible. It is decided
// in the tray or the terminal: a panel beside a foreign page is no place to say yes.

import {fill, h} from '../dom.js';
import {visible} from '../words.js';

export class ApprovalsView {
  #element;
  #link;
  #told;

  constructor(element, link, told) {
    this.#element = element;
    this.#link = link;
    this.#told = told;
  }

  async load() {
    const found = await this.#link.call('GET', '/v1/approvals').catch(() => ({approvals: []}));
    const pending = found.approvals.filter((one) => one.status === 'pending');
    fill(this.#element, pending.map(card));
    this.#told(pending.length);
  }
}

function card(approval) {
  const rows = [
    ['who asks', `${approval.agent_id} (${approval.door})`],
    ['what', [h('code', {}, visible(approval.tool)), h('pre', {tabindex: '0'}, visible(JSON.stringify(approval.args, null, 2)))]],
    ['because of', approval.quotes.length ? approval.quotes.map(quote) : 'what you asked'],
    ['it can reach', approval.reach.length ? visible(approval.reach.join(', ')) : 'nothing beyond Hearth'],
    ['undo', visible(approval.undo || 'cannot be undone')],
  ];
  return h('article.card.approval', {'aria-label': 'Waits for your decision'},
    h('h2', {}, 'Hearth needs you'),
    h('dl', {}, rows.flatMap(([name, what]) => [h('dt', {}, name), h('dd', {}, what)])),
    h('p.small.muted', {}, 'Decide in the tray, or with “hearth approvals”. Nothing happens until you do.'));
}

function quote({text = '', origin = '', trusted = true}) {
  return h('blockquote', {}, visible(String(text)), trusted ? null : h('span.muted', {}, ` — from ${origin || 'a page you opened'}, not checked`));
}
