// How a person is told that something could not be done: what happened, what to do, and a button for it.

import {h} from '../dom.js';

/** `actions`: [label, what to do] pairs. `kind` is '', 'info' or 'warn'. */
export function problemView(problem, actions = [], kind = '') {
  const buttons = actions.map(([label, act]) => h('button', {type: 'button', onclick: act}, label));
  return h(`div.problem${kind ? `.${kind}` : ''}`, {},
    h('p', {}, problem.detail),
    problem.fix ? h('p.fix', {}, problem.fix) : null,
    buttons.length ? h('div.row', {}, buttons) : null);
}
