// An empty thread: what can be done here, and whether a model answers.

import {h} from '../dom.js';
import {State} from '../link.js';

const NS = 'http://www.w3.org/2000/svg';

export function emptyView(linkState, status) {
  if (linkState === State.CONNECTING) return h('div.empty', {}, h('p', {role: 'status'}, 'Looking for Hearth on this machine…'));
  const model = status?.models.some((one) => one.roles.includes('chat'));
  return h('div.empty', {},
    mark(),
    h('h1', {}, 'Ask anything'),
    h('p', {}, 'About the page in front, about what you told Hearth in any door, or about Hearth itself.'),
    status && !model ? h('p.small', {}, 'No language model is connected: you get the passages that fit best. “hearth models list” shows how to connect one.') : null);
}

/** The arch with its ember. */
function mark() {
  const svg = document.createElementNS(NS, 'svg');
  svg.setAttribute('viewBox', '0 0 128 128');
  svg.setAttribute('class', 'mark');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(path('M30 106V62a34 34 0 0 1 68 0v44M18 106h92', {'stroke-width': '10'}),
    path('M64 52c3 13 18 20 18 35a18 18 0 0 1-36 0c0-8 5-12 9-18 2 3 4 4 6 5 1-8 1-14 3-22z', {class: 'ember'}));
  return svg;
}

function path(d, attributes) {
  const element = document.createElementNS(NS, 'path');
  for (const [name, value] of Object.entries({d, ...attributes})) element.setAttribute(name, value);
  return element;
}
