// The page in front: whether it may be read, what is read of it, and what of it is kept. Consents are the person's, by
// site, and the backend keeps them; the same words hold in every browser that is paired.

import {addressOf, contextOf, episodesOf, LONGEST_PAGE, siteOf} from './page.js';
import {Problem} from './problem.js';
import {count, readOf, visible} from './words.js';

const BATCH = 100;

export class Pages {
  #link;
  #browser;
  #changed;
  #levels = new Map();
  #windowId = null;

  /** browser: what browser.js gives of tabs. `changed()` when the page in front is another, or seen differently. */
  constructor(link, browser, changed) {
    this.#link = link;
    this.#browser = browser;
    this.#changed = changed;
    this.front = null;
    this.selection = null;
  }

  async watch() {
    this.#windowId = await this.#browser.thisWindow();
    this.#browser.onFrontChange(() => this.look());
    await this.look();
  }

  get windowId() {
    return this.#windowId;
  }

  /** What the person may do with the page in front now. */
  get view() {
    const {front} = this;
    const site = siteOf(front?.url);
    if (!front || (front.url && !site && !front.url.startsWith('file:'))) return null;
    return {site, title: front.title, url: front.url, level: site ? this.levelOf(site) : 'ask'};
  }

  /** What was said of a site, or of a wider one that it is part of, the nearest first. */
  levelOf(site) {
    const parts = /^[\d.]+$|:/.test(site) ? [site] : site.split('.');
    const names = parts.map((_, start) => parts.slice(start).join('.'));
    return names.map((name) => this.#levels.get(name)).find(Boolean) ?? 'ask';
  }

  /** The browser tells address and title only where it lets us read: what it does not tell is not guessed. */
  async look() {
    const tab = await this.#browser.frontTab(this.#windowId);
    this.front = tab && {tabId: tab.id, url: tab.url ?? '', title: visible(tab.title ?? '')};
    this.#changed();
  }

  async loadConsents() {
    const said = await this.#link.call('GET', '/v1/consents');
    this.#levels = new Map(said.consents.map((one) => [one.subject, one.level]));
    this.#changed();
  }

  async consent(site, level) {
    await this.#link.call('PUT', '/v1/consents', {door: 'browser', subject: site, level});
    this.#levels.set(site, level);
    this.#changed();
  }

  /** The page in front, read now. Rejects with a Problem: not allowed by the browser, off for this site, or empty. */
  async read() {
    if (!this.front) throw new Problem({code: 'no_page', detail: 'No page is in front.'});
    this.#mayRead(siteOf(this.front.url));
    const page = await this.#browser.read(this.front.tabId, LONGEST_PAGE);
    this.#mayRead(siteOf(page.url));
    page.title = visible(page.title);
    Object.assign(this.front, {url: page.url, title: page.title});
    this.#changed();
    if (!page.text) throw new Problem({code: 'no_page', detail: 'There is no text to read on this page.', fix: 'Select some text and ask about the selection.'});
    return page;
  }

  /** What goes along with the page in front, and how that is told to the person. */
  async contextOfPage() {
    const page = await this.read();
    return {page, context: contextOf(page), about: `About ${page.title || page.url} (${readOf(page)})`};
  }

  /** What goes along with a question: what is marked on the page if something is, else the page. */
  async contextOfQuestion() {
    const {page, context, about} = await this.contextOfPage();
    return page.selection ? {page, ...selected({...page, text: page.selection})} : {page, context, about};
  }

  contextOfSelection() {
    this.#mayRead(siteOf(this.selection.url));
    return selected(this.selection);
  }

  /** Keep the page, passage by passage. Gives the ids, so that it can be taken back. */
  async remember(page) {
    const episodes = await episodesOf(page);
    const stored = {ids: [], fresh: 0, passages: episodes.length};
    for (let from = 0; from < episodes.length; from += BATCH) {
      const said = await this.#link.call('POST', '/v1/memory/episodes', {episodes: episodes.slice(from, from + BATCH)});
      stored.ids.push(...said.ids);
      stored.fresh += said.new;
    }
    return stored;
  }

  async forget(ids) {
    for (let from = 0; from < ids.length; from += BATCH) {
      await this.#link.call('POST', '/v1/memory/forget', {ids: ids.slice(from, from + BATCH)});
    }
  }

  #mayRead(site) {
    if (!site || this.levelOf(site) !== 'off') return;
    throw new Problem({
      code: 'no_consent', detail: `You said that pages of ${site} are neither read nor kept.`, fix: 'Change it beside the page’s name.',
    });
  }
}

function selected({text, url, title}) {
  const about = `About the selection on ${title || addressOf(url)} (${count(text.length, 'character')})`;
  return {context: contextOf({url, title, text}, 'selection'), about};
}
