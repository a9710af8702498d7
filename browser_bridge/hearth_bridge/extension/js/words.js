// What the panel says, in the words that all doors use. Pure.

import {siteOf} from './page.js';

export const NO_MODEL = 'no language model connected';

/** Where an answer was made, by what, and what it cost. */
export function made(by, tokens) {
  if (!by) return '';
  if (by.where === 'no model') return NO_MODEL;
  const parts = [by.where, by.test_model ? `${by.model} (test model)` : by.model];
  if (by.where === 'cloud' && tokens) parts.push(tokens.cost === null ? 'price not known' : `$${tokens.cost.toFixed(4)}`);
  return parts.filter(Boolean).join(' · ');
}

/** "3 min ago", with nothing finer than a minute: it does not have to tick. */
export function ago(seconds, now = Date.now() / 1000) {
  const passed = Math.max(0, now - seconds);
  if (passed < 60) return 'just now';
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86_400) return `${Math.floor(passed / 3600)} h ago`;
  if (passed < 7 * 86_400) return `${Math.floor(passed / 86_400)} d ago`;
  return new Date(seconds * 1000).toLocaleDateString(undefined, {day: 'numeric', month: 'short', year: 'numeric'});
}

export const exactly = (seconds) => new Date(seconds * 1000).toLocaleString();

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** What of a page goes along, said before it goes. */
export function readOf(page) {
  const read = count(page.text.length, 'character');
  return page.cut ? `the first ${read} of about ${page.whole.toLocaleString('en')}` : read;
}

/** The address of a source that can be opened here; empty for a file or something said. */
export function addressOfSource(source) {
  const all = [source.url, source.location, source.id, source.title];
  return all.find((one) => typeof one === 'string' && siteOf(one)) ?? '';
}

/** A source in one line. */
export function titleOf(source) {
  const address = addressOfSource(source);
  if (address && (!source.title || siteOf(source.title))) return shortAddress(address);
  if (source.kind === 'memory' && !address) return visible(source.title || said(source));
  return visible(source.title || source.location || source.id);
}

/** Where a source is from, in a few words. */
export function originOf(source) {
  const site = siteOf(addressOfSource(source));
  const when = source.occurred_at ? ago(source.occurred_at) : '';
  const kind = site || {memory: 'something you told Hearth', file: 'a file', docs: 'Hearth’s documentation', page: 'a page'}[source.kind];
  const whose = source.trusted === false && !site ? 'not your words' : '';
  return [kind, when, whose].filter(Boolean).join(' · ');
}

const said = (source) => (['', 'me', 'person'].includes((source.speaker ?? '').toLowerCase()) ? 'You said' : source.speaker);

/** An address short enough for a line: the site, and the end of the path. */
export function shortAddress(address) {
  const url = new URL(address);
  const path = decodeURI(url.pathname).replace(/\/$/, '');
  return path.length > 40 ? `${url.hostname}/…${path.slice(-36)}` : `${url.hostname}${path}`;
}

/** Text that somebody else wrote, with what cannot be seen made visible: control characters, and those that turn the
 * direction of a line or have no width. */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g,
    (mark) => `‹U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);
}
