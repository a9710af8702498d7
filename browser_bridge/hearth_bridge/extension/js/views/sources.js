// The sources below an answer: what each says, and a way to where it came from.

import {h} from '../dom.js';
import {quotedAddress} from '../page.js';
import {addressOfSource, originOf, titleOf} from '../words.js';

/** `open(address)` shows a page; `openThread(id)` a thread. */
export function sourceList(sources, {open, openThread}) {
  return h('ol.sources', {}, sources.map((source) => sourceItem(source, {open, openThread})));
}

function sourceItem(source, {open, openThread}) {
  const address = addressOfSource(source);
  const go = address ? () => open(quotedAddress(address, source.quote)) : threadOf(source, openThread);
  const name = `${titleOf(source)}`;
  const title = go
    ? h('button.link', {type: 'button', title: address || 'Open the thread', onclick: go}, name)
    : h('span.name', {}, name);
  return h('li', {'data-n': source.n},
    h('div.head', {}, h('span.from', {}, `[${source.n}]`), title),
    h('div.from', {}, originOf(source), source.cited === false ? ' · read, not cited' : ''),
    h('div.quote', {}, source.quote));
}

function threadOf(source, openThread) {
  const id = [source.thread_id, source.location].find((one) => typeof one === 'string' && one.startsWith('thread_'));
  return id ? () => openThread(id) : null;
}
